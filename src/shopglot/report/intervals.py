"""Intervals by resampling query groups, for the pairs of one query stand and fall together."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Floats
from shopglot.merge.settings import CostGoal

Interval = tuple[float, float]
_BOUNDS: Final = (0.025, 0.975)
_CHUNK: Final = 100
"""Repetitions drawn at a time, which bounds the memory."""


def f1_interval(judged: Judged, rows: Mask, *, repetitions: int, seed: int) -> Interval:
    """Return the 95 % percentile interval of F1 over query groups (Efron and Tibshirani, 1993, chapter 13)."""
    (resampled,) = _resampled([judged], rows, repetitions, seed)
    return _bounds(_f1(*resampled))


def f1_difference(better: Judged, worse: Judged, rows: Mask, *, repetitions: int, seed: int) -> Interval:
    """Return the 95 % interval of F1(`better`) - F1(`worse`) on the same pairs, resampled together."""
    if not better.pairs["id"].equals(worse.pairs["id"]):
        raise DataError(f"{better.name!r} and {worse.name!r} judge different pairs; compare runs over the same files")
    first, second = (_f1(*each) for each in _resampled([better, worse], rows, repetitions, seed))
    return _bounds(first - second)


def cost_difference(
    better: Judged, worse: Judged, costs: CostGoal, rows: Mask, *, repetitions: int, seed: int
) -> Interval:
    """Return the 95 % interval of cost(`better`) - cost(`worse`) per relevant pair, as `f1_difference` does."""
    first, second = (_cost(*each, costs) for each in _resampled([better, worse], rows, repetitions, seed))
    return _bounds(first - second)


def _resampled(sides: Sequence[Judged], rows: Mask, repetitions: int, seed: int) -> list[tuple[Floats, Floats, Floats]]:
    """Return hits, relevant and predicted pairs of each side in every repetition.

    A query group enters a repetition Poisson(1) times, the same for all sides.

    k groups with the same counts enter together, Poisson(k) times: the same distribution, drawn for a few hundred
    kinds of groups in place of every query.
    """
    kinds = _kinds(sides, rows)
    groups, counts = kinds["groups"].to_numpy(), kinds.drop("groups").to_numpy().astype(np.float64)
    rng = np.random.default_rng(seed)
    sums = [
        rng.poisson(groups, (min(_CHUNK, repetitions - start), len(groups))) @ counts
        for start in range(0, repetitions, _CHUNK)
    ]
    relevant, *decided = np.concatenate(sums).T
    return [(hits, relevant, predicted) for hits, predicted in zip(decided[::2], decided[1::2], strict=True)]


def _kinds(sides: Sequence[Judged], rows: Mask) -> pl.DataFrame:
    """Return the distinct counts of query groups (relevant, then hits and predictions per side) and how often each."""
    columns = {"query": sides[0].pairs["query"], "relevant": sides[0].pairs["label"]}
    for number, side in enumerate(sides):
        columns[f"hits {number}"] = pl.Series((side.pairs.labels == 1) & side.decision)
        columns[f"predicted {number}"] = pl.Series(side.decision)
    counts = pl.DataFrame(columns).filter(pl.Series(rows)).group_by("query").agg(pl.exclude("query").cast(int).sum())
    names = counts.columns[1:]
    return counts.group_by(names).agg(groups=pl.len()).sort(names)


def _f1(hits: Floats, relevant: Floats, predicted: Floats) -> Floats:
    """Return F1 per repetition, 0 where nothing is relevant nor predicted."""
    return 2 * hits / np.maximum(relevant + predicted, 1.0)


def _cost(hits: Floats, relevant: Floats, predicted: Floats, costs: CostGoal) -> Floats:
    errors = costs.false_positive * (predicted - hits) + costs.false_negative * (relevant - hits)
    return errors / np.maximum(relevant, 1.0)


def _bounds(values: Floats) -> Interval:
    low, high = np.quantile(values, _BOUNDS)
    return float(low), float(high)
