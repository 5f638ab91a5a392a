"""A learner that reads some of its training pairs without their translation."""

from dataclasses import dataclass
from pathlib import Path

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Learner, SavableScorer
from shopglot.enrich.dropout import drop_translations


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
