"""Learners whose training pairs change inside the fold, so that nothing is known there of the pairs it is judged on."""

from dataclasses import dataclass
from pathlib import Path

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Encoder, Learner, SavableScorer, Scorer
from shopglot.enrich.dropout import drop_translations
from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.enrich.negatives import negatives


@dataclass(frozen=True, eq=False, slots=True)
class WithTranslationDropout:
    """Fits `learner` on pairs of which the share `rate` lost their English, so that it works with and without one."""

    learner: Learner
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.learner.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.learner.tasks

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        """Return the scorer of the learner; which pairs lose their English is the same after a kill."""
        return self.learner.fit(drop_translations(train, self.rate, self.seed), work)


@dataclass(frozen=True, eq=False, slots=True)
class WithNegatives:
    """Fits `learner` on its pairs and on irrelevant ones made from them.

    `taxonomy` are category paths to draw from beside those of the pairs; `encoder` finds the nearest of them where
    the settings ask for that; `scorer` refuses what may be relevant after all.
    """

    learner: Learner
    settings: NegativeSettings
    seed: int
    taxonomy: tuple[str, ...] = ()
    encoder: Encoder | None = None
    scorer: Scorer | None = None

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.learner.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.learner.tasks

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        """Return the scorer of the learner; the made pairs are the same after a kill."""
        made = negatives(
            train, self.settings, seed=self.seed, taxonomy=self.taxonomy, encoder=self.encoder, scorer=self.scorer
        )
        return self.learner.fit(Pairs.concat([train, made.pairs]), work)
