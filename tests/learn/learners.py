"""Every learner as small as it gets, by name."""

from pathlib import Path

from shopglot.core.pair import TASKS, Task
from shopglot.core.scores import Learner
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.llm_settings import LLMSettings, StageSettings
from shopglot.learn.load import make_learner
from shopglot.learn.settings import (
    ContrastSettings,
    EmbeddingSettings,
    EncoderSettings,
    LearnerSettings,
    LexicalSettings,
)
from tests import shop

TEMPLATE = Template(FormatSettings(), CLEANING_VERSION)
LEARNERS = ("lexical", "embedding", "contrast", "encoder", "llm")


def settings_of(name: str, model: Path, tasks: tuple[Task, ...] = TASKS) -> LearnerSettings:
    """Return the settings of one of `LEARNERS`, on a tiny `model`."""
    contrast = ContrastSettings(steps=2, batch_size=8, layers=1, bf16=False)
    match name:
        case "lexical":
            return LexicalSettings(tasks=tasks)
        case "encoder":
            return EncoderSettings(tasks=tasks, model=str(model), steps=3, batch_size=2, bf16=False)
        case "llm":
            stages = (StageSettings(steps=3, learning_rate=1e-2),)
            return LLMSettings(tasks=tasks, model=str(model), text="pair", dtype="float32", stages=stages)
        case _:
            return EmbeddingSettings(
                tasks=tasks,
                model=str(model),
                prefix="query: ",
                contrast=contrast if name == "contrast" else None,
                hidden=(8,),
                networks=2,
            )


def learner_of(name: str, model: Path, tasks: tuple[Task, ...] = TASKS) -> Learner:
    """Return one of `LEARNERS` on a tiny `model`."""
    return make_learner(settings_of(name, model, tasks), TEMPLATE, shop.PATHS)
