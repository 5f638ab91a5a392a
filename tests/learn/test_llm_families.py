"""Each family of the published system, shrunk: it learns, is kept and scores the same in a new process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from shopglot.config import load_recipe
from shopglot.core.errors import RecipeError
from shopglot.core.files import read_json
from shopglot.core.log_odds import sigmoid
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LaunchSettings, LLMSettings, LoraSettings, StageSettings
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.tiny import tiny_model

pytestmark = pytest.mark.usefixtures("full_precision")
ROOT = Path(__file__).parents[2]
TRAIN = shop.pairs(16)
NEW = shop.pairs(24, seed=99)
TEXTS = [*shop.texts(), "Query: Category: Product: Relevant: yes no tea wok\n"]
BY_HEART = StageSettings(steps=60, batch_size=16, learning_rate=1e-2, save_steps=1000)
IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
import torch
from shopglot.core.pairs import Pairs
from shopglot.learn.llm_scorer import LLMScorer
torch.set_num_threads(1)
pairs = Pairs.from_parquet(Path(sys.argv[1]))
print(json.dumps({folder: LLMScorer.load(Path(folder)).score(pairs).tolist() for folder in sys.argv[2:]}))
"""


@cache
def recipe_of(name: str) -> LLMSettings:
    (settings,) = load_recipe(ROOT / "recipes" / f"{name}.yaml").learn
    assert isinstance(settings, LLMSettings)
    return settings


def families() -> list[str]:
    """Return the names of the recipes with one language model of a hub."""
    recipes = {path.stem: load_recipe(path).learn for path in sorted((ROOT / "recipes").glob("*.yaml"))}
    alone = {name: learn[0] for name, learn in recipes.items() if len(learn) == 1}
    return [name for name, each in alone.items() if isinstance(each, LLMSettings) and "/" in each.model]


FAMILIES = families()


def shrunk(name: str, folder: Path, **settings: Any) -> LLMSettings:
    """Return the family's recipe with a small model of the same architecture, in one process."""
    recipe = recipe_of(name)
    model = tiny_model(folder / "model", recipe.model, TEXTS)
    small = {"model": str(model), "launch": LaunchSettings(), "stages": (BY_HEART,), "trainer": {"logging_steps": 1}}
    return recipe.model_copy(update={**small, **settings})


@dataclass(frozen=True, eq=False, slots=True)
class Trained:
    """A trained family: the loss of each step, the folder it was written to and what it said before."""

    losses: list[float]
    folder: Path
    scores: Scores


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """Train a family by its name; each of them once in all tests."""

    @cache
    def family(name: str) -> Trained:
        folder = tmp_path_factory.mktemp(name)
        scorer = LLMLearner(shrunk(name, folder), TEMPLATE).fit(TRAIN, folder)
        losses = [float(step["loss"]) for step in read_json(folder / "stage-0" / "losses.json")]
        (folder / "kept").mkdir()
        scorer.save(folder / "kept")
        return Trained(losses, folder / "kept", scorer.score(NEW))

    return family


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_learns_until_its_loss_has_halved(name: str, trained: Callable[[str], Trained]) -> None:
    losses = trained(name).losses
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) / 2


def test_the_families_score_in_a_new_process_as_they_did(tmp_path: Path, trained: Callable[[str], Trained]) -> None:
    NEW.frame.write_parquet(tmp_path / "new.parquet")
    families = [trained(name) for name in FAMILIES]
    folders = [str(family.folder) for family in families]
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(tmp_path / "new.parquet"), *folders]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    assert said == {str(each.folder): pytest.approx(each.scores.tolist(), abs=1e-6) for each in families}


@pytest.mark.parametrize("name", ["qwen2.5-0.5b", "gemma-3-270m", "mmbert-base", "mdeberta-v3-base"])
@pytest.mark.parametrize("targets", ["attention", "all-linear"])
def test_adapters_lie_on_what_the_recipe_says_and_nowhere_else(name: str, targets: Any, tmp_path: Path) -> None:
    settings = shrunk(name, tmp_path, lora=LoraSettings(targets=targets))
    layers = {key for key, _ in LLMScorer.new(settings, TEMPLATE).model.named_modules() if key.endswith(".lora_A")}
    attention = {layer for layer in layers if ".attn." in layer or "attention" in layer or "self_attn" in layer}
    assert attention
    assert (attention == layers) == (targets == "attention")
    assert not [layer for layer in layers if "score" in layer or "classifier" in layer]


@pytest.mark.parametrize("name", ["qwen3-0.6b", "gemma-2-9b", "gemma-3-270m"])
def test_the_last_real_token_is_read_whatever_side_is_padded(name: str, tmp_path: Path) -> None:
    scorer = LLMScorer.new(shrunk(name, tmp_path, dtype="float32"), TEMPLATE)
    said = []
    for side in ("left", "right"):
        scorer.reader.tokenizer.padding_side = side
        said.append(scorer.score(NEW))
    assert said[0] == pytest.approx(said[1], abs=1e-5)
    assert np.ptp(said[0]) > 0


@pytest.mark.parametrize("name", ["qwen2.5-0.5b", "gemma-3-270m"])
def test_the_yes_no_head_starts_with_the_odds_of_the_two_words(name: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = shrunk(name, tmp_path, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(settings.model)
    candidates = sorted(token.removeprefix("▁") for token in tokenizer.get_vocab() if "<" not in token)
    ids_of = {word: tokenizer(word, add_special_tokens=False)["input_ids"] for word in candidates if word}
    (word, (yes,)), (other, (no,)) = [each for each in ids_of.items() if len(each[1]) == 1][:2]
    scorer = LLMScorer.new(settings.model_copy(update={"head": "yes-no", "words": (word, other)}), TEMPLATE)
    model = AutoModelForCausalLM.from_pretrained(settings.model, dtype=torch.float32)
    expected = []
    for ids in scorer.reader.encode(scorer.reader.texts(NEW))["input_ids"]:
        with torch.inference_mode():
            last = model(input_ids=torch.tensor([ids])).logits[0, -1]
        expected.append(float(sigmoid(np.array([float(last[yes] - last[no])]))[0]))
    assert scorer.score(NEW) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("name", "lora"), [("gemma-3-270m", LoraSettings(dropout=0.0)), ("xlm-roberta-base", None)])
def test_gradient_checkpointing_computes_again_and_learns_the_same_weights(
    name: str, lora: LoraSettings | None, tmp_path: Path
) -> None:
    recipe = recipe_of(name)
    still = {} if recipe.text == "prompt" else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = tiny_model(tmp_path / "model", recipe.model, TEXTS, **still)
    two_steps = StageSettings(steps=2, batch_size=4, learning_rate=1e-2, warmup=0, schedule="constant")
    small = {"model": str(model), "dtype": "float32", "lora": lora, "stages": (two_steps,)}
    weights, passes = [], []
    for again in (False, True):
        (work := tmp_path / f"{again}").mkdir()
        settings = recipe.model_copy(update={**small, "trainer": {"activation_checkpointing": again}})
        with linear_passes() as counted:
            LLMLearner(settings, TEMPLATE).fit(TRAIN, work)
        passes.append(len(counted))
        (kept,) = work.glob("stage-0/*model.safetensors")
        weights.append(load_file(kept))
    assert passes[1] > passes[0]
    assert weights[1] == {key: pytest.approx(each, abs=1e-6) for key, each in weights[0].items()}


@contextmanager
def linear_passes() -> Iterator[list[int]]:
    """Give a list that grows with each pass through a linear layer in the block."""
    from torch.nn import Linear
    from torch.nn.modules.module import register_module_forward_pre_hook

    counted: list[int] = []
    hook = register_module_forward_pre_hook(
        lambda module, _: counted.append(module.in_features) if isinstance(module, Linear) else None
    )
    with hook:
        yield counted


def test_words_of_several_tokens_cannot_be_a_yes_no_head(tmp_path: Path) -> None:
    settings = shrunk("qwen2.5-0.5b", tmp_path, head="yes-no", words=("tea and coffee", "wok"))
    with pytest.raises(RecipeError, match="must each be one token of"):
        LLMScorer.new(settings, TEMPLATE)


def test_of_a_model_that_also_sees_the_text_part_alone_is_loaded(tmp_path: Path) -> None:
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, SiglipVisionConfig

    settings = shrunk("gemma-3-12b", tmp_path, dtype="float32")
    text = LLMScorer.new(settings, TEMPLATE).model.config.get_text_config()
    vision = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28
    )
    whole = Gemma3ForConditionalGeneration(Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4))
    folder = tmp_path / "model"
    (folder / "model.safetensors").unlink()
    whole.save_pretrained(folder)
    scorer = LLMScorer.new(settings, TEMPLATE)
    names = {name for name, _ in scorer.model.named_modules()}
    assert not [name for name in names if "vision" in name or "projector" in name]
    assert [name for name in names if name.endswith(".lora_A")]
    with safe_open(folder / "model.safetensors", "pt") as weights:
        kept = "language_model.model.layers.0.self_attn.q_proj.weight"
        loaded = scorer.model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj.base_layer").weight
        assert torch.equal(weights.get_tensor(kept), loaded)


@pytest.mark.parametrize("name", FAMILIES)
def test_something_always_stands_between_query_and_target(name: str, tmp_path: Path) -> None:
    reader, pairs = LLMScorer.new(shrunk(name, tmp_path), TEMPLATE).reader, Pairs(NEW.frame.head(1))
    (ids,) = reader.encode(reader.texts(pairs))["input_ids"]
    text = "".join(reader.tokenizer.convert_ids_to_tokens(ids)).replace("▁", "")
    query, target = (pairs[side][0].replace(" ", "") for side in ("query", "target"))
    mark = "Product:" if reader.settings.text == "prompt" else reader.tokenizer.sep_token
    assert mark in text.partition(query)[2].partition(target)[0]
