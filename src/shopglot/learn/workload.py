"""How many pairs a recipe's models are trained on and score, counted from its files or its plan for the folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shopglot.core.pair import Task
from shopglot.fold.settings import FoldSettings


@dataclass(frozen=True, slots=True)
class Workload:
    """The labelled pairs and the dev pairs of each task, and what becomes of them."""

    train: Mapping[Task, int]
    dev: Mapping[Task, int]
    fold: FoldSettings
    refit: bool = False
    """Whether one model trained on all folds ships, and not the fold models."""
    tokens: int | None = None
    """The mean tokens of a pair; None: as many as the model reads."""

    def fits(self, tasks: Sequence[Task]) -> list[int]:
        """Return how many pairs of `tasks` each model is trained on.

        With `both` it is less, for pairs that share a query or a category with the judged fold drop out.

        >>> Workload({"QC": 1000}, {}, FoldSettings(folds=3, tune=0.1, test=0.1), refit=True).fits(["QC"])
        [533, 533, 533, 800]
        """
        dealt = self._dealt(tasks)
        others = dealt * (self.fold.folds - 1) / self.fold.folds
        return [round(others)] * self.fold.folds + ([round(dealt)] if self.refit else [])

    def scored(self, tasks: Sequence[Task]) -> int:
        """Return how many pairs of `tasks` are scored: each out of fold once, the rest by every model that ships.

        >>> Workload({"QC": 1000}, {"QC": 100}, FoldSettings(folds=3, tune=0.1, test=0.1)).scored(["QC"])
        1700
        """
        dealt = self._dealt(tasks)
        rest = sum(self.train.get(task, 0) + self.dev.get(task, 0) for task in tasks) - dealt
        return round(dealt + rest * (1 if self.refit else self.fold.folds))

    def _dealt(self, tasks: Sequence[Task]) -> float:
        return sum(self.train.get(task, 0) for task in tasks) * (1 - self.fold.tune - self.fold.test)
