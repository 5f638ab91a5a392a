"""A packed language model is a folder that plain transformers, and servers built on it, load."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopglot.core.files import read_json, write_json
from shopglot.core.log_odds import logit
from shopglot.core.pair import TASKS
from shopglot.learn.llm_scorer import LLMScorer, without_adapters
from shopglot.learn.llm_settings import LLMSettings
from shopglot.merge.blend import Blend, Mean
from shopglot.pack.bundle import Bundle
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.pack.conftest import bundle_of
from tests.tiny import tiny_model

pytestmark = pytest.mark.usefixtures("full_precision")
NEW = shop.pairs(12, seed=99)
MODELS: dict[str, tuple[str, dict[str, Any], str, list[str]]] = {
    "gemma-3": ("google/gemma-3-270m", {}, "Gemma3TextForSequenceClassification", ["relevant"]),
    "gemma-2": ("google/gemma-2-9b", {}, "Gemma2ForSequenceClassification", ["relevant"]),
    "qwen3": ("Qwen/Qwen3-0.6B-Base", {"task_heads": True}, "Qwen3ForSequenceClassification", ["QC", "QI"]),
    "xlm-r": ("FacebookAI/xlm-roberta-base", {"text": "pair"}, "XLMRobertaForSequenceClassification", ["relevant"]),
}
PLAIN = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
torch.set_num_threads(1)
said = {}
for folder, rows in json.loads(open(sys.argv[1]).read()).items():
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    batch = AutoTokenizer.from_pretrained(folder).pad({"input_ids": rows}, return_tensors="pt")
    with torch.inference_mode():
        said[folder] = model(**batch).logits.tolist()
assert not [name for name in sys.modules if name.startswith(("peft", "shopglot"))]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def scorers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LLMScorer]:
    """Models with random adapters that change what they say."""
    return {
        name: _scorer(tmp_path_factory.mktemp("base"), hub_name, settings)
        for name, (hub_name, settings, _, _) in MODELS.items()
    }


def _scorer(folder: Path, hub_name: str, settings: dict[str, Any]) -> LLMScorer:
    import torch

    model = tiny_model(folder, hub_name, [*shop.texts(), "Query: Category: Product: Relevant:\n"])
    scorer = LLMScorer.new(LLMSettings(model=str(model), dtype="float32", **settings), TEMPLATE)
    for name, parameter in scorer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return scorer


@pytest.fixture(scope="module")
def packed(scorers: dict[str, LLMScorer], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a bundle of each model, a blend of one mean of one, and return the model's folder in it."""
    folders = {}
    for name, scorer in scorers.items():
        before = scorer.score(NEW)
        blend = Blend({"llm": Mean([without_adapters(scorer)])}, {task: {"llm": 1.0} for task in TASKS})
        bundle = tmp_path_factory.mktemp(name) / "bundle"
        bundle_of(blend).save(bundle)
        folders[name] = bundle / "scorer" / "0" / "0"
        assert Bundle.load(bundle).scorer.score(NEW) == pytest.approx(before, abs=1e-5)
        assert np.ptp(before) > 0.01
    return folders


def test_plain_transformers_gives_the_same_logits_in_a_fresh_process(packed: dict[str, Path], tmp_path: Path) -> None:
    tokens, expected = {}, {}
    for name, folder in packed.items():
        scorer, outputs = LLMScorer.load(folder), MODELS[name][3]
        texts = scorer.reader.texts(NEW)
        tokens[str(folder)] = scorer.reader.encode(texts)["input_ids"]
        expected[str(folder)] = scorer.logits(texts)
        column = [outputs.index(task) if task in outputs else 0 for task in NEW["task"]]
        judged = expected[str(folder)][np.arange(len(NEW)), column]
        assert logit(scorer.score(NEW)) == pytest.approx(judged, abs=1e-5)
    write_json(tmp_path / "tokens.json", tokens)
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(tmp_path / "tokens.json")], check=True, capture_output=True, text=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert said.keys() == expected.keys()
    for folder, rows in said.items():
        assert np.array(rows) == pytest.approx(expected[folder], abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_folder_says_what_servers_ask_of_it(name: str, packed: dict[str, Path]) -> None:
    config = read_json(packed[name] / "config.json")
    _, _, architecture, outputs = MODELS[name]
    assert config["architectures"] == [architecture]
    assert config["id2label"] == {str(number): output for number, output in enumerate(outputs)}
    assert config["label2id"] == {output: number for number, output in enumerate(outputs)}
    assert config["problem_type"] == "multi_label_classification"  # a sigmoid for each output
    assert config["pad_token_id"] is not None
    files = {path.name for path in packed[name].iterdir()}
    assert files >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "scorer.json"}
    assert not [file for file in files if file.startswith("adapter")]
