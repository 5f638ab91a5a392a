from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import RecipeError
from shopglot.fold.settings import FoldSettings
from shopglot.learn.gpus import GPUS, gpu_named
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_settings import HierarchySettings, LaunchSettings, LLMSettings, LoraSettings, StageSettings
from shopglot.learn.plan import Plan, plan, training_steps
from shopglot.learn.remedies import problem
from shopglot.learn.sizes import count
from shopglot.learn.workload import Workload
from shopglot.report.figures import short
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.learn.test_resume import steps_taken

GEMMA = "google/gemma-3-12b-pt"
SMALL = "google/gemma-3-270m"
FOLDS = FoldSettings(folds=3, tune=0.1, test=0.1)
WORK = Workload({"QC": 3000, "QI": 1000}, {"QC": 100}, FOLDS, tokens=50)


def plan_of(model: str = SMALL, gpu: str = "a100-80gb", work: Workload = WORK, **settings: Any) -> Plan:
    return plan(LLMSettings(model=model, **settings), work, gpu_named(gpu))


@pytest.mark.parametrize(
    ("model", "parameters"),
    [(GEMMA, "11.8 B"), ("Qwen/Qwen2-7B", "7.11 B"), ("Qwen/Qwen2.5-14B", "14.1 B"), (SMALL, "272 M")],
)
def test_what_is_loaded_is_counted_with_its_adapters_and_without_an_output_layer_of_words(
    model: str, parameters: str
) -> None:
    assert short(count(LLMSettings(model=model)).parameters) == parameters


def test_adapters_are_counted_as_their_two_matrices_and_the_head() -> None:
    rank, layers, hidden, inner, queries, keys = 16, 48, 3840, 15360, 16 * 256, 8 * 256
    attention = (hidden + queries) + 2 * (hidden + keys) + (queries + hidden)
    assert count(LLMSettings(model=GEMMA)).trainable == rank * layers * (attention + 3 * (hidden + inner)) + hidden
    of_attention = count(LLMSettings(model=GEMMA, lora=LoraSettings(targets="attention")))
    assert of_attention.trainable == rank * layers * attention + hidden


def test_each_output_is_a_row_of_the_head() -> None:
    one = count(LLMSettings(model=SMALL, lora=None)).parameters
    five = count(LLMSettings(model=SMALL, lora=None, task_heads=True, hierarchy=HierarchySettings(levels=3))).parameters
    assert five - one == 4 * 640


@pytest.mark.usefixtures("full_precision")
def test_steps_are_those_that_the_trainer_takes(tmp_path: Path, tiny_xlm_roberta: Path) -> None:
    stage = StageSettings(epochs=1.5, batch_size=3, accumulation=2)
    settings = LLMSettings(model=str(tiny_xlm_roberta), text="pair", dtype="float32", stages=(stage,))
    with steps_taken() as taken:
        LLMLearner(settings, TEMPLATE).fit(shop.pairs(20), tmp_path)
    assert taken[-1] == training_steps(stage, pairs=20, devices=1)


def test_steps_that_are_given_do_not_depend_on_the_pairs() -> None:
    assert training_steps(StageSettings(steps=70), pairs=10**6, devices=8) == 70


def test_every_stage_trains_on_its_own_tasks_in_every_fold() -> None:
    stage = StageSettings(epochs=1, batch_size=10)
    other, own = (stage.model_copy(update={"tasks": (task,)}) for task in ("QI", "QC"))
    planned = plan_of(stages=(other, own), tasks=("QC",))
    # Eight tenths of the pairs are dealt to three folds, of which two train.
    assert planned.steps == 3 * (54 + 160)
    assert planned.tokens == planned.steps * 10 * 50


def test_a_refit_is_one_more_model_on_all_folds() -> None:
    refitted = plan_of(work=Workload({"QC": 3000}, {}, FOLDS, refit=True), stages=(StageSettings(epochs=1),))
    assert refitted.steps == 3 * 200 + 300


def test_pairs_are_no_longer_than_the_model_reads() -> None:
    long = Workload({"QC": 3000}, {}, FOLDS, tokens=500)
    assert (
        plan_of(work=long, max_tokens=64).tokens
        == plan_of(work=Workload({"QC": 3000}, {}, FOLDS), max_tokens=64).tokens
    )


@pytest.mark.parametrize(
    ("lora", "trainer", "operations"),
    [
        (None, {}, 6),
        (LoraSettings(rank=1, targets="attention"), {}, 4),
        (None, {"gradient_checkpointing": True}, 8),
        (LoraSettings(rank=1, targets="attention"), {"gradient_checkpointing": True}, 6),
    ],
    ids=["whole", "adapters", "whole, checkpointed", "adapters, checkpointed"],
)
def test_time_is_operations_over_the_peak_that_is_reached(
    lora: LoraSettings | None, trainer: dict[str, Any], operations: int
) -> None:
    unscored = Workload({"QC": 3000}, {}, FoldSettings(folds=2, tune=0, test=0), tokens=50)
    planned = plan_of(lora=lora, trainer=trainer, work=unscored)
    scoring = 2 * 3000 * 50
    expected = planned.sizes.linear * (operations * planned.tokens + scoring) / (0.35 * 312e12)
    assert planned.seconds == pytest.approx(expected, rel=0.01)


def test_devices_share_the_time() -> None:
    long = (StageSettings(epochs=100),)  # beside which scoring, on one device, takes no time
    one = plan_of(stages=long)
    four = plan_of(stages=long, launch=LaunchSettings(processes=2, nodes=2))
    groups = plan_of(stages=long, launch=LaunchSettings(processes=2, devices=("0,1", "2,3")))
    assert (one.devices, four.devices, groups.devices) == (1, 4, 4)
    assert four.tokens == pytest.approx(one.tokens, rel=0.01)
    assert [four.seconds, groups.seconds] == pytest.approx([one.seconds / 4] * 2, rel=0.05)


def test_float32_reaches_another_peak() -> None:
    assert plan_of(dtype="float32").seconds == pytest.approx(plan_of().seconds * 312 / 19.5)


def test_what_fits_has_no_problem() -> None:
    assert plan_of().problem is None


def test_what_does_not_fit_is_told_what_would_help() -> None:
    launch = LaunchSettings(processes=4, deepspeed={"zero_optimization": {"stage": 2}})
    stages = (StageSettings(batch_size=4),)
    settings = LLMSettings(name="gemma", model=GEMMA, max_tokens=256, launch=launch, stages=stages)
    told = problem(settings, count(settings), GPUS["a100-40gb"])
    assert told is not None
    assert told.startswith(
        "gemma does not fit: it needs 37 GiB per device, and a100-40gb can fill 36 GiB; use gradient"
    )
    assert "or ZeRO-3 (launch.deepspeed.zero_optimization.stage: 3)" in told
    checkpointed = settings.model_copy(update={"trainer": {"gradient_checkpointing": True}})
    assert problem(checkpointed, count(settings), GPUS["a100-40gb"]) is None


def test_where_no_change_is_enough_alone_the_first_that_are_together_are_told() -> None:
    settings = LLMSettings(model=GEMMA, max_tokens=256)
    told = problem(settings, count(settings), GPUS["l4"])
    assert told is not None
    assert "use gradient checkpointing (trainer.activation_checkpointing: true) with 4-bit weights" in told
    both = {"trainer": {"activation_checkpointing": True}, "quantization": {"load_in_4bit": True}}
    assert problem(settings.model_copy(update=both), count(settings), GPUS["l4"]) is None


def test_what_no_change_helps_needs_another_model_or_device() -> None:
    settings = LLMSettings(model="Qwen/Qwen3-14B", lora=None, dtype="float32")
    told = problem(settings, count(settings), GPUS["cpu"])
    assert told is not None
    assert told.endswith("take a smaller model or a larger device")


@pytest.mark.parametrize(
    ("gpu", "settings", "words"),
    [
        ("t4", {}, "t4 does not compute in bfloat16; set its dtype to float16"),
        ("cpu", {"quantization": {"load_in_4bit": True}}, "quantized weights need a GPU"),
    ],
)
def test_what_a_device_cannot_compute_is_said(gpu: str, settings: dict[str, Any], words: str) -> None:
    assert words in str(plan_of(gpu=gpu, **settings).problem)


def test_an_unknown_gpu_is_told_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="no GPU 'b200'; there are a100-40gb, a100-80gb, h100-80gb, l4"):
        gpu_named("b200")


def test_the_time_on_two_cores_is_near_what_was_measured() -> None:
    """Facts of Gemma-3-270M with LoRA on all linear layers: a step of 16 pairs of 48 tokens took 2.4 seconds."""
    stage = StageSettings(steps=1000, batch_size=16)
    unscored = Workload({"QC": 2}, {}, FoldSettings(folds=2, tune=0, test=0), tokens=48)
    planned = plan_of(gpu="cpu", work=unscored, stages=(stage,))
    assert planned.seconds / planned.steps == pytest.approx(2.4, rel=0.15)
