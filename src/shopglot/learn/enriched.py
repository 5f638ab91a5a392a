"""A learner whose training pairs change inside the fold, where nothing is known of the pairs it is judged on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Learner, SavableScorer


@dataclass(frozen=True, eq=False, slots=True)
class Enriched:
    """Fits `learner` on what `change` makes of its training pairs; the same pairs give the same after a kill."""

    learner: Learner
    change: Callable[[Pairs], Pairs]

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.learner.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.learner.tasks

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        """Return the scorer of the learner."""
        return self.learner.fit(self.change(train), work)
