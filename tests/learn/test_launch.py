import shutil
import sysconfig
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shopglot.core.errors import TrainingError
from shopglot.core.files import read_json, write_json
from shopglot.core.scores import Scores
from shopglot.learn.launch import train_here
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_settings import LaunchSettings, LLMSettings, LoraSettings, StageSettings
from shopglot.learn.store import template_facts
from tests import shop
from tests.learn.learners import TEMPLATE

pytestmark = pytest.mark.usefixtures("full_precision")
TRAIN = shop.pairs(96)
NEW = shop.pairs(20, seed=99)
TWO = LaunchSettings(processes=2)
ZERO_2 = {
    "zero_optimization": {"stage": 2},
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
}
CAN_COMPILE = shutil.which("g++") and Path(sysconfig.get_paths()["include"], "Python.h").is_file()
IN_ORDER = {"train_sampling_strategy": "sequential", "logging_steps": 1}


def settings_of(model: Path, batch_size: int, launch: LaunchSettings) -> LLMSettings:
    return LLMSettings(
        model=str(model),
        text="pair",
        dtype="float32",
        lora=LoraSettings(dropout=0.0),
        stages=(StageSettings(steps=6, batch_size=batch_size, learning_rate=1e-2),),
        launch=launch,
        trainer=IN_ORDER,
    )


def trained(settings: LLMSettings, work: Path) -> tuple[Scores, list[float]]:
    """Return the scores of the trained model, and the loss of each step."""
    work.mkdir()
    scores = LLMLearner(settings, TEMPLATE).fit(TRAIN, work).score(NEW)
    steps: list[dict[str, Any]] = read_json(work / "stage-0" / "losses.json")
    return scores, [float(step["loss"]) for step in steps]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory, undisturbed: Path) -> tuple[Scores, list[float]]:
    return trained(settings_of(undisturbed, 16, LaunchSettings()), tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_xlm_roberta: Path) -> Path:
    """The tiny model without dropout, so that a batch gives the same gradients however it is shared out."""
    from transformers import AutoConfig

    folder = tmp_path_factory.mktemp("models") / "undisturbed"
    shutil.copytree(tiny_xlm_roberta, folder)
    config = AutoConfig.from_pretrained(folder)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config.save_pretrained(folder)
    return folder


def test_two_processes_learn_what_one_learns_with_twice_the_batch(
    tmp_path: Path, undisturbed: Path, one: tuple[Scores, list[float]]
) -> None:
    scores, losses = trained(settings_of(undisturbed, 8, TWO), tmp_path / "two")
    assert losses == pytest.approx(one[1], abs=1e-3)
    assert scores == pytest.approx(one[0], abs=1e-4)


@pytest.mark.skipif(not CAN_COMPILE, reason="DeepSpeed compiles on a CPU, by g++ with Python.h")
def test_two_processes_under_zero_2_have_the_loss_curve_of_one_with_twice_the_batch(
    tmp_path: Path, undisturbed: Path, one: tuple[Scores, list[float]]
) -> None:
    scores, losses = trained(
        settings_of(undisturbed, 8, LaunchSettings(processes=2, deepspeed=ZERO_2)), tmp_path / "ds"
    )
    assert len(losses) == 6
    assert losses == pytest.approx(one[1], abs=1e-3)
    assert scores == pytest.approx(one[0], abs=1e-4)


def test_a_process_that_dies_ends_the_run_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    settings = settings_of(Path("nowhere/none"), 8, TWO)
    with pytest.raises(TrainingError, match=r"ended with exit code 1 in one of its processes.*run the same command"):
        LLMLearner(settings, TEMPLATE).fit(TRAIN, tmp_path)
    assert not list(tmp_path.glob("stage-*"))


def test_a_process_that_did_not_find_the_others_refuses_to_train(tmp_path: Path, undisturbed: Path) -> None:
    settings = settings_of(undisturbed, 8, TWO).model_dump(mode="json")
    write_json(tmp_path / "job.json", {"settings": settings, "template": template_facts(TEMPLATE)})
    with pytest.raises(TrainingError, match="2 processes were asked for and 1 came"):
        train_here(tmp_path / "job.json")


@pytest.mark.slow
def test_a_run_of_two_goes_on_after_one_of_them_was_killed(
    tmp_path: Path, undisturbed: Path, one: tuple[Scores, list[float]]
) -> None:
    import psutil

    settings = settings_of(undisturbed, 8, TWO)
    often = settings.model_copy(update={"stages": (settings.stages[0].model_copy(update={"save_steps": 1}),)})

    def kill_one_after_its_first_checkpoint() -> None:
        while not list(tmp_path.glob("two/stage-0.work/checkpoint-*/trainer_state.json")):
            time.sleep(0.01)
        workers = psutil.Process().children(recursive=True)
        next(each for each in reversed(workers) if "shopglot.learn.worker" in each.cmdline()).kill()

    killer = Thread(target=kill_one_after_its_first_checkpoint)
    killer.start()
    with pytest.raises(TrainingError, match=r"ended with exit code 1 in one of its processes.*run the same command"):
        trained(often, tmp_path / "two")
    killer.join()
    assert list(tmp_path.glob("two/stage-0.work/checkpoint-*/trainer_state.json"))
    scores = LLMLearner(often, TEMPLATE).fit(TRAIN, tmp_path / "two").score(NEW)
    assert scores == pytest.approx(one[0], abs=1e-4)
