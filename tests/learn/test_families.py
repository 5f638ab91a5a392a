from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Gemma3Config,
)

from shopglot.core.errors import RecipeError
from shopglot.learn.families import configuration, known
from tests import shop
from tests.tiny import shrunk, tiny_model

PUBLISHED = {
    "FacebookAI/xlm-roberta-base": 278e6,
    "FacebookAI/xlm-roberta-large": 560e6,
    "Qwen/Qwen2-7B": 7.62e9,
    "Qwen/Qwen2.5-0.5B": 494e6,
    "Qwen/Qwen2.5-1.5B": 1.54e9,
    "Qwen/Qwen2.5-14B": 14.77e9,
    "Qwen/Qwen3-0.6B": 596e6,
    "Qwen/Qwen3-8B": 8.19e9,
    "Qwen/Qwen3-14B": 14.77e9,
    "google/gemma-2-9b": 9.24e9,
    "google/gemma-3-12b-pt": 11.77e9,
    "google/gemma-3-270m": 268e6,
    "microsoft/mdeberta-v3-base": 279e6,
    "microsoft/deberta-v3-large": 435e6,
    "jhu-clsp/mmBERT-base": 308e6,
    "answerdotai/ModernBERT-base": 149.7e6,
}
"""Parameters with the output layer each was pretrained with."""
ONE_OF_EACH_CLASS = (
    "FacebookAI/xlm-roberta-base",
    "Qwen/Qwen2.5-0.5B",
    "Qwen/Qwen3-0.6B",
    "google/gemma-2-9b",
    "google/gemma-3-270m",
    "microsoft/mdeberta-v3-base",
    "jhu-clsp/mmBERT-base",
)


def pretraining_class(config: Any) -> Any:
    return AutoModelForMaskedLM if type(config) in MODEL_FOR_MASKED_LM_MAPPING else AutoModelForCausalLM


@pytest.mark.parametrize("name", known())
def test_a_configuration_counts_what_its_authors_publish(name: str) -> None:
    config = configuration(name)
    with torch.device("meta"):
        model = pretraining_class(config).from_config(config)
    assert model.num_parameters() == pytest.approx(PUBLISHED[name.removesuffix("-Base")], rel=3e-3)


def test_a_folder_comes_before_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrunk(configuration("google/gemma-3-270m")).save_pretrained(tmp_path / "google" / "gemma-3-270m")
    monkeypatch.chdir(tmp_path)
    assert configuration("google/gemma-3-270m").hidden_size == 32


def test_of_a_model_that_also_sees_the_text_part_is_meant(tmp_path: Path) -> None:
    Gemma3Config(text_config=shrunk(configuration("google/gemma-3-12b-pt")).to_dict()).save_pretrained(tmp_path)
    config = configuration(str(tmp_path))
    assert (config.model_type, config.hidden_size) == ("gemma3_text", 32)


def test_a_model_that_is_nowhere_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no configuration of '.*absent/here/it': .*; name its folder, or reach"):
        configuration(str(tmp_path / "absent/here/it"))


@pytest.mark.parametrize("name", ONE_OF_EACH_CLASS)
def test_a_shrunk_model_keeps_its_kind_and_can_be_trained(name: str, tmp_path: Path) -> None:
    folder = str(tiny_model(tmp_path, name, shop.texts()))
    real, small = configuration(name), AutoConfig.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, pad_token_id=tokenizer.pad_token_id
    )
    read = tokenizer(["Query: tea", "Query: sauce pan\nCategory: home"], padding=True, return_tensors="pt")
    model(input_ids=read["input_ids"], attention_mask=read["attention_mask"]).logits.sum().backward()
    assert type(small) is type(real)
    assert {*(getattr(small, "layer_types", None) or ())} == {*(getattr(real, "layer_types", None) or ())}
    assert model.get_input_embeddings().weight.grad.abs().sum() > 0


@pytest.mark.parametrize(("name", "before"), [("Qwen/Qwen3-0.6B", []), ("google/gemma-3-270m", ["<bos>"])])
def test_a_tiny_decoder_marks_a_text_like_its_family(name: str, before: list[str], tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(str(tiny_model(tmp_path, name, shop.texts())))
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert tokenizer.convert_ids_to_tokens(tokenizer("")["input_ids"]) == before
