"""A cascade: cheap stages decide what they are sure of, and pass on the rest."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import BundleError
from shopglot.core.folds import Mask
from shopglot.core.log_odds import logit
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


class Cost(NamedTuple):
    """Seconds: for a pair whose texts were read before, for each new query or target, and for asking at all."""

    pair: float
    text: float
    call: float = 0.0

    def pairs_within(self, seconds: float) -> int:
        """Return how many pairs of new texts can be answered in this time."""
        each = self.pair + 2 * self.text
        return max(0, int((seconds - self.call) / each)) if each else sys.maxsize


FREE: Final = Cost(0.0, 0.0)


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """What decides the pairs of the tasks in `unsure`, apart from those in the band, which go to the next stage."""

    name: str
    decider: Decider
    unsure: Unsure
    cost: Cost = FREE

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
        return self._decided(pairs, lambda _, __, rows: rows)

    def score_within(self, pairs: Pairs, seconds: float) -> Decided:
        """Return the same by the stages that there is time for, for a request that must be answered.

        Every pair is decided by the first stage that reads its task. A later one is asked as many of the others as its
        cost allows in the time that is left, the nearest to their threshold first. What is decided thus depends on how
        many pairs are asked at once and on how busy the machine is: this is for an online filter, never for files.
        """
        end = perf_counter() + seconds

        def those_that_fit(stage: Stage, decided: Decided, rows: Rows) -> Rows:
            again = rows[~np.isnan(decided.probability[rows])]
            near = np.abs(logit(decided.probability[again]) - logit(decided.threshold[again]))
            fitting = again[np.argsort(near, kind="stable")[: stage.cost.pairs_within(end - perf_counter())]]
            return np.union1d(np.setdiff1d(rows, again), fitting)

        return self._decided(pairs, those_that_fit)

    def cut_short(self, pairs: Pairs, decided: Decided) -> Mask:
        """Return which pairs a stage of `score_within` decided that would have passed them on, shape (rows,)."""
        cut = np.zeros(len(pairs), dtype=np.bool_)
        for number, stage in enumerate(self.stages):
            later = [task for each in self.stages[number + 1 :] for task in each.unsure]
            own = (decided.stage == stage.name).to_numpy() if decided.stage is not None else cut
            if later and own.any():
                cut |= own & stage.passes_on(pairs, decided) & pairs["task"].is_in(later).to_numpy()
        return cut

    def _decided(self, pairs: Pairs, choose: Callable[[Stage, Decided, Rows], Rows]) -> Decided:
        """Let each stage decide those rows that `choose` takes of the ones passed on to it."""
        foreign = [task for task in pairs.tasks if task not in self.tasks]
        if foreign:
            raise BundleError(
                f"the cascade decides {' and '.join(self.tasks)}, not {' and '.join(foreign)}; leave those pairs out"
            )
        decided = _nothing_yet(len(pairs))
        passed_on = np.ones(len(pairs), dtype=np.bool_)
        for stage in self.stages:
            waiting = np.flatnonzero(passed_on & pairs["task"].is_in(list(stage.unsure)).to_numpy())
            rows = choose(stage, decided, waiting)
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
    return Decided(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_), np.full(rows, np.nan), nothing, nothing)


def _with_answers(decided: Decided, rows: Rows, answered: Decided, name: str) -> Decided:
    """Return what was decided before, and in `rows` what a stage answered."""
    probability, decision, threshold = decided.probability.copy(), decided.decision.copy(), decided.threshold.copy()
    probability[rows], decision[rows], threshold[rows] = answered.probability, answered.decision, answered.threshold
    read, stage = decided.read, decided.stage
    if read is not None and answered.read is not None:
        read = read.clone().scatter(rows, answered.read)
    return Decided(probability, decision, threshold, read, None if stage is None else stage.clone().scatter(rows, name))
