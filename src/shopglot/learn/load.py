"""Which learner a recipe's settings mean, and which scorer a folder holds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shopglot.core.scores import Learner, SavableScorer
from shopglot.format.template import Template
from shopglot.learn.embedding import EmbeddingLearner, EmbeddingScorer
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.lexical import LexicalLearner, LexicalScorer
from shopglot.learn.settings import EmbeddingSettings, EncoderSettings, LearnerSettings, LexicalSettings

SCORERS: Final[Mapping[str, Callable[[Path], SavableScorer]]] = {
    "lexical": LexicalScorer.load,
    "embedding": EmbeddingScorer.load,
    "encoder": EncoderScorer.load,
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
