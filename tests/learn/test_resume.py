"""A training run that is killed goes on from its last checkpoint, to the same weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopglot.core.scores import SavableScorer
from shopglot.learn.llm_settings import LLMSettings, StageSettings
from shopglot.learn.load import make_learner
from shopglot.learn.settings import ContrastSettings, EmbeddingSettings, EncoderSettings, LearnerSettings
from tests import shop
from tests.learn.doubles import Killed
from tests.learn.learners import TEMPLATE

pytestmark = pytest.mark.usefixtures("full_precision")
TRAIN = shop.pairs(80)
NEW = shop.pairs(20, seed=99)


def settings_of(name: str, model: Path) -> LearnerSettings:
    if name == "encoder":
        return EncoderSettings(model=str(model), steps=4, save_steps=2, batch_size=2, learning_rate=1e-3, bf16=False)
    if name == "llm":
        stages = (StageSettings(steps=4, save_steps=2, learning_rate=1e-2),)
        return LLMSettings(model=str(model), text="pair", dtype="float32", stages=stages)
    contrast = ContrastSettings(steps=4, save_steps=2, batch_size=8, layers=1, learning_rate=1e-3, bf16=False)
    return EmbeddingSettings(model=str(model), contrast=contrast, hidden=(4,), networks=1)


def fitted(settings: LearnerSettings, work: Path) -> SavableScorer:
    work.mkdir(exist_ok=True)
    return make_learner(settings, TEMPLATE, shop.PATHS).fit(TRAIN, work)


@contextmanager
def steps_taken(deadly: int | None = None, fit: int = 1) -> Iterator[list[int]]:
    """Give the list of the training steps begun in the block; the process ends in step `deadly` of the n-th `fit`."""
    from transformers import Trainer

    begun: list[int] = []
    step = Trainer.training_step

    def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
        begun.append(trainer.state.global_step + 1)
        if begun[-1] == deadly and begun.count(deadly) == fit:
            raise Killed
        return step(trainer, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "training_step", training_step)
        yield begun


@pytest.mark.parametrize("name", ["encoder", "contrast", "llm"])
def test_a_killed_training_goes_on_to_the_weights_of_one_that_was_not(
    tmp_path: Path, tiny_xlm_roberta: Path, name: str
) -> None:
    settings = settings_of(name, tiny_xlm_roberta)
    whole = fitted(settings, tmp_path / "whole").score(NEW)
    with pytest.raises(Killed), steps_taken(deadly=4):
        fitted(settings, tmp_path / "killed")
    (checkpoint,) = (tmp_path / "killed").glob("**/checkpoint-*")
    assert checkpoint.name == "checkpoint-2"
    half_written = checkpoint.with_name("checkpoint-3")
    half_written.mkdir()
    (half_written / "model.safetensors").write_bytes(b"half")
    with steps_taken() as begun:
        resumed = fitted(settings, tmp_path / "killed").score(NEW)
    assert list(dict.fromkeys(begun)) == [3, 4]  # in one or more passes each
    assert np.ptp(whole) > 0
    assert resumed == pytest.approx(whole, abs=1e-6)
