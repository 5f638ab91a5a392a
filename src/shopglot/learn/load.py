"""Which learner a recipe's settings mean, and which scorer a folder holds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shopglot.core.pair import Task
from shopglot.core.scores import Learner, SavableScorer
from shopglot.format.settings import QueryText
from shopglot.format.template import Template
from shopglot.learn.embedding import EmbeddingLearner, EmbeddingScorer
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.lexical import LexicalLearner, LexicalScorer
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.settings import EmbeddingSettings, EncoderSettings, LearnerSettings, LexicalSettings

SCORERS: Final[Mapping[str, Callable[[Path], SavableScorer]]] = {
    "lexical": LexicalScorer.load,
    "embedding": EmbeddingScorer.load,
    "encoder": EncoderScorer.load,
    "llm": LLMScorer.load,
}


def make_learner(settings: LearnerSettings, template: Template, taxonomy: tuple[str, ...] = ()) -> Learner:
    """Return the learner of `settings`; `taxonomy` are the category paths the shop is known to have."""
    match settings:
        case LexicalSettings():
            return LexicalLearner(settings, template)
        case EmbeddingSettings():
            return EmbeddingLearner(settings, template, taxonomy)
        case EncoderSettings():
            return EncoderLearner(settings, template)
        case LLMSettings():
            return LLMLearner(settings, template)


def trained_tasks(settings: LearnerSettings) -> tuple[Task, ...]:
    """Return the tasks whose pairs a learner needs, of which it may score only some."""
    return settings.trained_tasks if isinstance(settings, LLMSettings) else settings.tasks


def read_queries(settings: LearnerSettings, template: Template) -> tuple[QueryText, ...]:
    """Return which texts of the query a learner reads."""
    return settings.queries if isinstance(settings, EmbeddingSettings) else (template.settings.query,)


def fits_at_once(settings: LearnerSettings) -> int:
    """Return how many folds a learner has devices for at a time."""
    return max(1, len(settings.launch.devices)) if isinstance(settings, LLMSettings) else 1
