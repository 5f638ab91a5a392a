"""A cascade: cheap stages decide what they are sure of, and pass on the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import BundleError
from shopglot.core.folds import Mask
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided, Decider

Rows = NDArray[np.int64]


class Band(NamedTuple):
    """The calibrated probabilities, ends included, of which a stage is too unsure to decide."""

    low: float
    high: float


Unsure = Mapping[Task, Band | None]
"""The band of each task that a stage reads; None: it decides every pair that reaches it."""


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """What decides the pairs of the tasks in `unsure`, apart from those in the band, which go to the next stage."""

    name: str
    decider: Decider
    unsure: Unsure

    def passes_on(self, pairs: Pairs, decided: Decided) -> Mask:
        """Return which of the pairs it is too unsure of, shape (rows,); never one that has no text to judge."""
        unsure = np.zeros(len(pairs), dtype=np.bool_)
        for task, band in self.unsure.items():
            if band is not None:
                between = (decided.probability >= band.low) & (decided.probability <= band.high)
                unsure |= between & (pairs["task"] == task).to_numpy()
        return unsure & pairs.readable


@dataclass(frozen=True, eq=False, slots=True)
class Cascade:
    """Stages in the order of their cost; it decides pairs as a bundle does.

    A pair goes to the first stage that reads its task, and on for as long as stages are unsure and another one reads
    its task. What is decided about a pair depends on that pair alone.
    """

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        """Refuse a cascade without stages, with two of a name, or with stages that clean texts in different ways."""
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise BundleError(f"a cascade needs stages with names of their own, not {names}")
        others = [stage.name for stage in self.stages if stage.decider.curate != self.curate]
        if others:
            raise BundleError(
                f"{names[0]} and {others[0]} clean texts differently; train them with the same settings of `curate`"
            )

    @property
    def curate(self) -> CurateSettings:
        """How all stages have texts cleaned."""
        return self.stages[0].decider.curate

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of `Pairs` that the answer of some stage may depend on, as `Decider` says."""
        return tuple(sorted({name for stage in self.stages for name in stage.decider.columns_read}))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that some stage reads."""
        return tuple(task for task in TASKS if any(task in stage.unsure for stage in self.stages))

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return what is decided about each of these clean pairs, and by which stage.

        Raises BundleError for a task that no stage reads.
        """
        foreign = [task for task in pairs.tasks if task not in self.tasks]
        if foreign:
            raise BundleError(
                f"the cascade decides {' and '.join(self.tasks)}, not {' and '.join(foreign)}; leave those pairs out"
            )
        decided = _nothing_yet(len(pairs))
        passed_on = np.ones(len(pairs), dtype=np.bool_)
        for stage in self.stages:
            rows = np.flatnonzero(passed_on & pairs["task"].is_in(list(stage.unsure)).to_numpy())
            if len(rows):
                asked = Pairs(pairs.frame[rows])
                answered = stage.decider.score_clean(asked)
                decided = _with_answers(decided, rows, answered, stage.name)
                passed_on[rows] = stage.passes_on(asked, answered)
        return decided

    def knowing(self, paths: Iterable[str]) -> "Cascade":
        """Return the cascade for a shop that has these category paths too."""
        known = tuple(paths)
        return Cascade(tuple(replace(stage, decider=stage.decider.knowing(known)) for stage in self.stages))


def _nothing_yet(rows: int) -> Decided:
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, rows)
    return Decided(np.empty(rows), np.empty(rows, dtype=np.bool_), np.empty(rows), nothing, nothing)


def _with_answers(decided: Decided, rows: Rows, answered: Decided, name: str) -> Decided:
    """Return what was decided before, and in `rows` what a stage answered."""
    probability, decision, threshold = decided.probability.copy(), decided.decision.copy(), decided.threshold.copy()
    probability[rows], decision[rows], threshold[rows] = answered.probability, answered.decision, answered.threshold
    read, stage = decided.read, decided.stage
    if read is not None and answered.read is not None:
        read = read.clone().scatter(rows, answered.read)
    return Decided(probability, decision, threshold, read, None if stage is None else stage.clone().scatter(rows, name))
