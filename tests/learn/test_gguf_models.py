"""The small language models with their real weights, against what is published and against llama.cpp."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopglot.core.errors import RecipeError
from shopglot.learn.gguf_models import GEMMA, SMOLLM2, make_gemma, make_smollm2
from shopglot.learn.packaged import PackagedWeights
from shopglot.learn.pretrained import resolve

TEXTS = (
    "wireless headphones for running", "Query: écouteurs\nCategory: electronics,audio\nRelevant:", "наушники №5",
    "سماعات ٣٤", "無線耳機  ２０２４", "ワイヤレスイヤホン\n\n3", "무선 이어폰", "หูฟังไร้สาย ๓",
    "वायरलेस हेडफोन", "tai nghe không dây", " 18k-gold\tringe ½ 😀", "iphone15pro 128gb",
)  # fmt: skip


def needs(weights: PackagedWeights) -> pytest.MarkDecorator:
    absent = any(find_spec(module) is None for module, _ in weights.pieces)
    return pytest.mark.skipif(absent, reason="the package of the weights is not installed")


GEMMA_MODEL = pytest.param("embedded:gemma-3-270m", marks=needs(GEMMA))
SMOLLM2_MODEL = pytest.param("embedded:smollm2-135m", marks=needs(SMOLLM2))
both = pytest.mark.parametrize("name", [GEMMA_MODEL, SMOLLM2_MODEL])


def test_without_the_reader_of_the_format_the_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopglot.learn.gguf_models.find_spec", lambda name: None)
    for make in (make_gemma, make_smollm2):
        with pytest.raises(RecipeError, match=r"^reading model\.gguf needs gguf: pip install 'shopglot\[llm\]'$"):
            make(tmp_path / "model.gguf", tmp_path)


def model_and_tokenizer(name: str) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = resolve(name)
    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


@pytest.mark.slow
@needs(GEMMA)
def test_gemma_is_the_published_model() -> None:
    model, _ = model_and_tokenizer("embedded:gemma-3-270m")
    assert model.num_parameters() == 268_098_176
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    config = model.config
    assert [at for at, kind in enumerate(config.layer_types) if kind == "full_attention"] == [5, 11, 17]
    assert (config.sliding_window, config.query_pre_attn_scalar, config.rms_norm_eps) == (512, 256, 1e-6)
    bases = {kind: rope["rope_theta"] for kind, rope in config.rope_parameters.items()}
    assert bases == {"full_attention": 1e6, "sliding_attention": 1e4}


@pytest.mark.slow
@needs(SMOLLM2)
def test_smollm2_is_the_published_model() -> None:
    model, _ = model_and_tokenizer("embedded:smollm2-135m")
    assert model.num_parameters() == 134_515_008
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert (model.config.rms_norm_eps, model.config.rope_parameters["rope_theta"]) == (1e-5, 1e5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "prompt", "fact"),
    [
        pytest.param("embedded:gemma-3-270m", "The capital of France is the city of", " Paris", marks=needs(GEMMA)),
        pytest.param("embedded:gemma-3-270m", "The opposite of hot is", " cold", marks=needs(GEMMA)),
        pytest.param("embedded:smollm2-135m", "The capital of France is", " Paris", marks=needs(SMOLLM2)),
    ],
)
def test_a_sentence_ends_with_the_fact(name: str, prompt: str, fact: str) -> None:
    model, tokenizer = model_and_tokenizer(name)
    tokens = tokenizer(prompt, return_tensors="pt")
    continued = model.generate(**tokens, max_new_tokens=1, do_sample=False)[0, -1:]
    assert tokenizer.decode(continued) == fact


@pytest.mark.slow
@both
def test_a_classifier_has_nothing_new_but_its_head(name: str) -> None:
    from transformers import AutoModelForSequenceClassification

    _, loaded = AutoModelForSequenceClassification.from_pretrained(
        resolve(name), num_labels=2, output_loading_info=True
    )
    assert loaded["missing_keys"] == {"score.weight"}
    assert not loaded["unexpected_keys"]
    assert not loaded["mismatched_keys"]


@pytest.mark.slow
@both
def test_every_text_comes_back_from_its_tokens(name: str) -> None:
    _, tokenizer = model_and_tokenizer(name)
    assert [tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) for text in TEXTS] == list(TEXTS)


@pytest.mark.slow
@needs(GEMMA)
def test_gemma_reads_a_bos_token_first_and_pads_with_its_own_token() -> None:
    _, tokenizer = model_and_tokenizer("embedded:gemma-3-270m")
    assert tokenizer("tea\n")["input_ids"][0] == tokenizer.bos_token_id == 2
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<pad>", 0)


@pytest.mark.slow
@needs(SMOLLM2)
def test_smollm2_adds_no_token_and_pads_with_the_end_of_a_message() -> None:
    _, tokenizer = model_and_tokenizer("embedded:smollm2-135m")
    assert tokenizer.decode(tokenizer("tea\n")["input_ids"]) == "tea\n"
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|im_end|>", 2)


@pytest.mark.slow
@both
def test_tokens_and_logits_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    import torch

    weights = GEMMA if "gemma" in name else SMOLLM2
    model, tokenizer = model_and_tokenizer(name)
    with weights.file(name, tmp_path) as source:
        theirs = llama_cpp.Llama(str(source), n_ctx=64, logits_all=True, verbose=False)
    for text in TEXTS:
        tokens = tokenizer(text)["input_ids"]
        assert tokens == theirs.tokenize(text.encode(), add_bos=tokens[0] == tokenizer.bos_token_id), text
        theirs.reset()
        theirs.eval(tokens)
        with torch.inference_mode():
            ours = model(torch.tensor([tokens])).logits[0, -1].float().numpy()
        assert np.corrcoef(ours, theirs.scores[len(tokens) - 1])[0, 1] > 0.995
    theirs.close()
