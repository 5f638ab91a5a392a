import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from shopglot.core.errors import BundleError, DataError, RecipeError, TrainingError
from shopglot.core.files import read_json, write_json
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_scorer import LLMScorer, merge_adapters
from shopglot.learn.llm_settings import HierarchySettings, LLMSettings, LoraSettings, StageSettings
from tests import shop
from tests.learn.doubles import Killed
from tests.learn.learners import TEMPLATE
from tests.learn.test_resume import steps_taken

pytestmark = pytest.mark.usefixtures("full_precision")
TRAIN = shop.pairs(80)
NEW = shop.pairs(20, seed=99)
SHORT = StageSettings(steps=3, learning_rate=1e-2)
OTHER_TASK_FIRST = (SHORT.model_copy(update={"tasks": ("QI",)}), SHORT.model_copy(update={"tasks": ("QC",)}))


def settings_of(model: Path, **settings: Any) -> LLMSettings:
    return LLMSettings(**{"model": str(model), "text": "pair", "dtype": "float32", "stages": (SHORT,), **settings})


def scores_of(settings: LLMSettings, work: Path, pairs: Pairs = TRAIN) -> Scores:
    work.mkdir(exist_ok=True)
    return LLMLearner(settings, TEMPLATE).fit(pairs, work).score(NEW)


def test_a_second_stage_begins_with_what_the_first_one_learned(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    still = SHORT.model_copy(update={"steps": 1, "learning_rate": 1e-12, "weight_decay": 0.0})
    one = scores_of(settings_of(tiny_xlm_roberta), tmp_path / "one")
    two = scores_of(settings_of(tiny_xlm_roberta, stages=(SHORT, still)), tmp_path / "two")
    untrained = LLMScorer.new(settings_of(tiny_xlm_roberta), TEMPLATE).score(NEW)
    assert two == pytest.approx(one, abs=1e-6)
    assert np.abs(one - untrained).max() > 1e-3


def test_a_stage_that_begins_elsewhere_is_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    scores_of(settings_of(tiny_xlm_roberta, stages=OTHER_TASK_FIRST[:1]), tmp_path)
    probe = tmp_path / "stage-0" / "probe.json"
    write_json(probe, (np.array(read_json(probe)) + 0.1).tolist())
    with pytest.raises(TrainingError, match=r"stage-1 begins 0\.1 away from where the stage before it ended"):
        scores_of(settings_of(tiny_xlm_roberta, stages=OTHER_TASK_FIRST), tmp_path)


def test_a_run_killed_in_its_second_stage_does_not_repeat_the_first(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    settings = settings_of(tiny_xlm_roberta, stages=OTHER_TASK_FIRST)
    whole = scores_of(settings, tmp_path / "whole")
    scores_of(settings.model_copy(update={"stages": OTHER_TASK_FIRST[:1]}), tmp_path / "killed")
    with steps_taken() as begun:
        resumed = scores_of(settings, tmp_path / "killed")
    assert begun == [1, 2, 3]
    assert resumed == pytest.approx(whole, abs=1e-6)


def test_a_stage_learns_from_the_pairs_of_its_tasks_alone(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    settings = settings_of(tiny_xlm_roberta, stages=OTHER_TASK_FIRST[:1])
    flipped = TRAIN.frame.with_columns(
        label=pl.when(pl.col("task") == "QC").then(1 - pl.col("label")).otherwise("label")
    )
    scores = scores_of(settings, tmp_path / "as it is")
    assert scores_of(settings, tmp_path / "flipped", Pairs.from_frame(flipped)) == pytest.approx(scores, abs=1e-6)
    with pytest.raises(DataError, match="no pair of QI is left to train 'llm'"):
        scores_of(settings, tmp_path / "none", TRAIN.of_task("QC"))


def test_rows_of_no_weight_are_never_drawn(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    weightless = settings_of(tiny_xlm_roberta, task_weights={"QI": 0.0}, language_weights={"fr": 0.0})
    without = Pairs(TRAIN.frame.filter((pl.col("task") == "QC") & (pl.col("language") != "fr")))
    plain = settings_of(tiny_xlm_roberta)
    assert scores_of(weightless, tmp_path / "a") == pytest.approx(scores_of(plain, tmp_path / "b", without), abs=1e-6)


def test_training_stops_when_the_development_part_gets_no_better(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    hopeless = StageSettings(steps=40, save_steps=2, stop_after=1, learning_rate=3.0, schedule="constant", warmup=0)
    with steps_taken() as begun:
        scores_of(settings_of(tiny_xlm_roberta, stages=(hopeless,)), tmp_path)
    assert 2 < max(begun) < 40


def test_what_the_trainer_prints_stays_out_of_standard_output(
    tmp_path: Path, tiny_xlm_roberta: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores_of(settings_of(tiny_xlm_roberta), tmp_path)
    printed = capsys.readouterr()
    assert "train_loss" in printed.err
    assert "train_loss" not in printed.out


def test_heads_of_their_own_and_levels_are_learned_and_kept(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    settings = settings_of(tiny_xlm_roberta, task_heads=True, hierarchy=HierarchySettings(levels=2))
    scorer = LLMLearner(settings, TEMPLATE).fit(TRAIN, tmp_path)
    assert scorer.model.config.num_labels == 4
    (kept := tmp_path / "kept").mkdir()
    scorer.save(kept)
    assert LLMScorer.load(kept).score(NEW).tolist() == scorer.score(NEW).tolist()


def test_all_weights_are_trained_where_there_are_no_adapters(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    before = load_file(tiny_xlm_roberta / "model.safetensors")
    scores_of(settings_of(tiny_xlm_roberta, lora=None), tmp_path)
    after = load_file(tmp_path / "stage-0" / "model.safetensors")
    name = next(name for name in before if name.endswith("layer.0.attention.self.query.weight"))
    assert np.abs(after[f"roberta.{name.removeprefix('roberta.')}"] - before[name]).max() > 0


def test_a_checkpoint_without_its_head_is_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    scores_of(settings_of(tiny_xlm_roberta), tmp_path)
    path = tmp_path / "stage-0" / "adapter_model.safetensors"
    save_file({name: each for name, each in load_file(path).items() if "classifier" not in name}, path)
    with pytest.raises(BundleError, match=r"adapter_model\.safetensors lacks the weights of the head \(classifier\)"):
        LLMScorer.load(tmp_path / "stage-0")


def test_whole_weights_without_their_head_are_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    scorer = LLMScorer.new(settings_of(tiny_xlm_roberta, lora=None), TEMPLATE)
    scorer.save(tmp_path)
    assert LLMScorer.load(tmp_path).score(NEW) == pytest.approx(scorer.score(NEW), abs=1e-6)
    path = tmp_path / "model.safetensors"
    save_file(
        {name: each for name, each in load_file(path).items() if "classifier" not in name}, path, {"format": "pt"}
    )
    with pytest.raises(BundleError, match=r"safetensors lacks the weights of the head \(classifier\)"):
        LLMScorer.load(tmp_path)


def test_a_run_does_not_go_on_from_a_checkpoint_of_another_architecture(
    tmp_path: Path, tiny_xlm_roberta: Path, tiny_bert: Path
) -> None:
    settings = settings_of(tmp_path / "model", stages=(SHORT.model_copy(update={"save_steps": 2}),))
    shutil.copytree(tiny_xlm_roberta, tmp_path / "model")
    with pytest.raises(Killed), steps_taken(deadly=3):
        scores_of(settings, tmp_path)
    shutil.rmtree(tmp_path / "model")
    shutil.copytree(tiny_bert, tmp_path / "model")
    with pytest.raises(BundleError, match="checkpoint-2 is no checkpoint of this model; remove it, and training"):
        scores_of(settings, tmp_path)


def test_a_checkpoint_of_another_architecture_is_refused(
    tmp_path: Path, tiny_xlm_roberta: Path, tiny_bert: Path
) -> None:
    scores_of(settings_of(tiny_xlm_roberta), tmp_path)
    facts = read_json(tmp_path / "stage-0" / "scorer.json")
    facts["settings"]["model"] = str(tiny_bert)
    write_json(tmp_path / "stage-0" / "scorer.json", facts)
    with pytest.raises(BundleError, match="stage-0"):
        LLMScorer.load(tmp_path / "stage-0")


def test_four_bits_without_a_gpu_are_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    settings = settings_of(tiny_xlm_roberta, quantization={"load_in_4bit": True})
    with pytest.raises(RecipeError, match="needs a GPU, and there is none; leave quantization out"):
        scores_of(settings, tmp_path)


def test_a_model_that_cannot_be_found_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nowhere/none"):
        scores_of(settings_of(Path("nowhere/none")), tmp_path)


def test_a_model_with_layers_that_have_no_weights_is_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    model = shutil.copytree(tiny_xlm_roberta, tmp_path / "model")
    write_json(model / "config.json", {**read_json(model / "config.json"), "num_hidden_layers": 3})
    with pytest.raises(BundleError, match=r"lacks 16 of the weights .* roberta\.encoder\.layer\.2"):
        LLMScorer.new(settings_of(model), TEMPLATE)


def test_weights_of_other_shapes_are_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    model = shutil.copytree(tiny_xlm_roberta, tmp_path / "model")
    write_json(model / "config.json", {**read_json(model / "config.json"), "intermediate_size": 7})
    with pytest.raises(BundleError, match="its weights have other shapes than its configuration says"):
        LLMScorer.new(settings_of(model), TEMPLATE)


def test_weights_that_were_cut_short_are_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    weights = shutil.copytree(tiny_xlm_roberta, tmp_path / "model") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(BundleError, match="cannot be loaded"):
        LLMScorer.new(settings_of(tmp_path / "model"), TEMPLATE)


def test_a_model_without_a_tokenizer_is_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    model = shutil.copytree(tiny_xlm_roberta, tmp_path / "model", ignore=shutil.ignore_patterns("token*"))
    with pytest.raises(BundleError, match="model holds no tokenizer"):
        LLMScorer.new(settings_of(model), TEMPLATE)


@pytest.mark.parametrize("peft", [{"nonesuch": 1}, {"bias": "some"}, {"r": 3}])
def test_what_lora_does_not_take_is_refused(tiny_xlm_roberta: Path, peft: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"`lora\.peft` is none that LoraConfig takes"):
        LLMScorer.new(settings_of(tiny_xlm_roberta, lora=LoraSettings(peft=peft)), TEMPLATE)


def test_weights_of_tasks_that_leave_no_pair_are_refused(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    with pytest.raises(RecipeError, match="leave no pair; raise one above 0"):
        scores_of(settings_of(tiny_xlm_roberta, task_weights={"QC": 0, "QI": 0}), tmp_path)


def test_training_that_runs_away_is_told(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    hasty = StageSettings(steps=5, learning_rate=1e9)
    with pytest.raises(TrainingError, match="beyond all bounds; lower its learning_rate"):
        scores_of(settings_of(tiny_xlm_roberta, stages=(hasty,)), tmp_path)
    assert not (tmp_path / "stage-0").exists()


def test_a_merged_model_scores_alike_and_starts_another_recipe_where_it_ended(
    tmp_path: Path, tiny_xlm_roberta: Path
) -> None:
    scores = scores_of(settings_of(tiny_xlm_roberta), tmp_path)
    merge_adapters(tmp_path / "stage-0", tmp_path / "merged")
    assert LLMScorer.load(tmp_path / "merged").score(NEW) == pytest.approx(scores, abs=1e-5)
    assert LLMScorer.new(settings_of(tmp_path / "merged"), TEMPLATE).score(NEW) == pytest.approx(scores, abs=1e-5)
    with pytest.raises(RecipeError, match="merged has no adapters to merge"):
        merge_adapters(tmp_path / "merged", tmp_path / "again")
