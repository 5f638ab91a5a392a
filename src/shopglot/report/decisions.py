"""How probabilities become decisions: whether they can be believed, and what each choice of thresholds is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, Floats, Labels
from shopglot.core.pair import Task
from shopglot.merge.decide import Choice, Decision, TaskDecision
from shopglot.merge.intervals import Groups, Interval, cost_difference, query_groups
from shopglot.merge.settings import CostGoal, Goal, MergeSettings, Unlabelled
from shopglot.merge.slices import SliceThreshold
from shopglot.report.measure import ALL, UNKNOWN, Difference, SliceReport, difference, values_of, whole_report
from shopglot.report.new_languages import NewLanguages, new_languages
from shopglot.report.settings import ReportSettings

BINS: Final = 10
_LEAST: Final = 25
"""Pairs that a bin should hold; a slice with fewer pairs has fewer bins."""
_GRID: Final = tuple(round(step / 20, 2) for step in range(1, 20))
_NORMAL: Final = NormalDist().inv_cdf(0.975)


class Bin(BaseModel):
    """Pairs with similar probabilities: their mean, the share that is relevant, and its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    probability: float
    relevant: float
    interval: Interval
    count: int


class Curve(BaseModel):
    """F1, precision and recall at each threshold of a grid; precision is None where nothing is called relevant."""

    model_config = ConfigDict(frozen=True)

    threshold: tuple[float, ...]
    f1: tuple[float, ...]
    precision: tuple[float | None, ...]
    recall: tuple[float, ...]


class Reliability(BaseModel):
    """Some pairs of the evidence at the top: bins of equal size and the curve, with the threshold that ships.

    `calibration_error` is the mean distance of probability and share over the pairs, by their bins (Naeini 2015).
    """

    model_config = ConfigDict(frozen=True)

    count: int
    threshold: float
    calibration_error: float
    bins: tuple[Bin, ...]
    curve: Curve

    @classmethod
    def of(cls, labels: Labels, probability: Floats, threshold: float) -> Self:
        """Return what is known of pairs of both classes."""
        bins = equal_mass_bins(labels, probability)
        error = sum(each.count * abs(each.relevant - each.probability) for each in bins) / len(labels)
        return cls(
            count=len(labels),
            threshold=threshold,
            calibration_error=error,
            bins=bins,
            curve=_curve(labels, probability),
        )


class Cost(BaseModel):
    """The cost of errors per relevant pair, and what it is above that of one threshold per task."""

    model_config = ConfigDict(frozen=True)

    value: float
    difference: float
    interval: Interval


class Chosen(SliceReport):
    """The cross-fitted quality with one choice of thresholds, and the F1 it has over one threshold per task.

    `cost` is None where thresholds are not chosen for one.
    """

    gain: Difference
    cost: Cost | None


class TaskDecisions(BaseModel):
    """One task: what each choice is worth out of fold, the slices that ship, and pairs by language, `all` first.

    `unlabelled` is what languages without labels cost, or None where no two languages have both classes.
    """

    model_config = ConfigDict(frozen=True)

    choices: dict[Choice, Chosen]
    slices: tuple[SliceThreshold, ...]
    languages: dict[str, Reliability]
    unlabelled: NewLanguages | None = None


@dataclass(frozen=True, eq=False, slots=True)
class CrossFitted:
    """The judgements out of fold: with each choice of thresholds, and as if a pair's language had no labels."""

    choices: Mapping[Choice, Judged]
    unlabelled: Mapping[Unlabelled, Judged]

    def of_task(self, task: Task) -> "CrossFitted":
        """Return the judgements of the pairs of one task."""
        return CrossFitted(
            {name: _of_task(each, task) for name, each in self.choices.items()},
            {name: _of_task(each, task) for name, each in self.unlabelled.items()},
        )


def decisions_report(
    top: Judged,
    cross_fitted: CrossFitted,
    decision: Decision,
    merge: MergeSettings,
    settings: ReportSettings,
    *,
    seed: int,
) -> dict[Task, TaskDecisions]:
    """Return the decisions of each task of `top`, the evidence at the top, which the shipped `decision` judged.

    `merge` are the settings by which the thresholds were chosen.
    """
    decisions = {}
    for task in top.pairs.tasks:
        inside, own = cross_fitted.of_task(task), decision.tasks[task]
        groups = query_groups(inside.choices["none"].pairs)
        decisions[task] = TaskDecisions(
            choices=_choices(inside.choices, groups, merge.threshold, settings, seed),
            slices=own.slices,
            languages=_languages(_of_task(top, task), own),
            unlabelled=new_languages(inside.choices[merge.per], inside.unlabelled, groups, own, settings, seed=seed),
        )
    return decisions


def equal_mass_bins(labels: Labels, probability: Floats) -> tuple[Bin, ...]:
    """Return up to ten bins with as many pairs in each, as far as equal probabilities stay together."""
    wanted = min(BINS, max(1, len(labels) // _LEAST))
    edges = np.unique(np.quantile(probability, np.arange(1, wanted) / wanted))
    place = np.searchsorted(edges, probability, side="right")
    counts = np.bincount(place)
    sums = (np.bincount(place, probability), np.bincount(place, labels == 1))
    return tuple(
        Bin(probability=mass / count, relevant=hits / count, interval=wilson_interval(hits / count, count), count=count)
        for count, mass, hits in zip(counts.tolist(), *(each.tolist() for each in sums), strict=True)
        if count
    )


def wilson_interval(share: float, count: int) -> Interval:
    """Return the 95 % score interval of a share of `count` independent pairs (Wilson 1927).

    >>> low, high = wilson_interval(1.0, 10)
    >>> round(low, 3), high
    (0.722, 1.0)
    """
    spread = _NORMAL**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = np.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _choices(
    choices: Mapping[Choice, Judged], groups: Groups, goal: Goal, settings: ReportSettings, seed: int
) -> dict[Choice, Chosen]:
    whole = choices["none"]
    every = np.ones(len(whole.pairs), dtype=np.bool_)
    return {
        name: Chosen(
            **whole_report(judged, groups, settings, seed).model_dump(),
            gain=difference(judged, whole, every, settings, seed, groups=groups),
            cost=_cost(judged, whole, groups, goal, settings, seed) if isinstance(goal, CostGoal) else None,
        )
        for name, judged in choices.items()
    }


def _cost(judged: Judged, whole: Judged, groups: Groups, costs: CostGoal, settings: ReportSettings, seed: int) -> Cost:
    interval = cost_difference(judged, whole, costs, repetitions=settings.bootstrap, seed=seed, groups=groups)
    value, reference = (_cost_per_relevant(each, costs) for each in (judged, whole))
    return Cost(value=value, difference=value - reference, interval=interval)


def _cost_per_relevant(judged: Judged, costs: CostGoal) -> float:
    table = Confusion.of(judged.pairs.labels, judged.decision)
    errors = costs.false_positive * table.false_positive + costs.false_negative * table.false_negative
    return errors / (table.true_positive + table.false_negative)


def _languages(judged: Judged, decision: TaskDecision) -> dict[str, Reliability]:
    """Return all pairs, then those of each language that has relevant and irrelevant ones."""
    every = np.ones(len(judged.pairs), dtype=np.bool_)
    slices: dict[str, Mask] = {ALL: every, **values_of(judged.pairs["language"])}
    labels = judged.pairs.labels
    return {
        name: Reliability.of(labels[rows], judged.probability[rows], _threshold(name, decision))
        for name, rows in slices.items()
        if 0 < np.count_nonzero(labels[rows]) < np.count_nonzero(rows)
    }


def _threshold(language: str, decision: TaskDecision) -> float:
    """Return the threshold of a language, or of all pairs, that ships."""
    known = {each.language: each.threshold for each in decision.slices if each.category is None}
    if decision.unlabelled is not None and language not in (ALL, UNKNOWN, *decision.labelled):
        return decision.unlabelled
    return known.get(language, decision.threshold)


def _curve(labels: Labels, probability: Floats) -> Curve:
    relevant = int(np.count_nonzero(labels))
    predicted = _at_least(probability)
    hits = _at_least(probability[labels == 1])
    return Curve(
        threshold=_GRID,
        f1=tuple((2 * hits / (predicted + relevant)).tolist()),
        precision=tuple(
            hit / all_ if all_ else None for hit, all_ in zip(hits.tolist(), predicted.tolist(), strict=True)
        ),
        recall=tuple((hits / relevant).tolist()),
    )


def _at_least(probability: Floats) -> Floats:
    """Return how many probabilities reach each threshold of the grid."""
    below = np.searchsorted(np.sort(probability), _GRID, side="left")
    return len(probability) - below.astype(np.float64)


def _of_task(judged: Judged, task: Task) -> Judged:
    return judged.where((judged.pairs["task"] == task).to_numpy())
