"""Intervals of F1 and of its differences, by resampling query groups: the pairs of a query stand and fall together."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings
from shopglot.merge.settings import CostGoal

Interval = tuple[float, float]
Groups = NDArray[np.intp]
"""The number of the query group of each row, shape (rows,)."""

_BOUNDS: Final = (0.025, 0.975)
_CHUNK: Final = 100
"""Repetitions drawn at a time, which bounds the memory."""
_BY_QUERY: Final = FoldSettings(qc="query", qi="query")


def query_groups(pairs: Pairs) -> Groups:
    """Return the query group of each row as folds know it: all spellings of a query, and its known translations."""
    originals = Pairs(pairs.frame.with_columns(made_from=pl.lit(None, dtype=pl.String)))
    return group_pairs(originals, _BY_QUERY)["query"].to_physical().to_numpy().astype(np.intp)


def f1_interval(judged: Judged, rows: Mask, *, repetitions: int, seed: int, groups: Groups | None = None) -> Interval:
    """Return the 95 % percentile interval of F1 over query groups (Efron and Tibshirani, 1993, chapter 13).

    `groups` are those of `query_groups` for all pairs, so that many slices find them once; None finds those of the
    rows.
    """
    (resampled,) = _resampled([judged], rows, groups, repetitions, seed)
    return bounds(f1_of(*resampled))


def f1_difference(
    better: Judged, worse: Judged, rows: Mask, *, repetitions: int, seed: int, groups: Groups | None = None
) -> Interval:
    """Return the 95 % interval of F1(`better`) - F1(`worse`) on the same pairs, resampled together.

    `groups` as for `f1_interval`.
    """
    if not better.pairs["id"].equals(worse.pairs["id"]):
        raise DataError(f"{better.name!r} and {worse.name!r} judge different pairs; compare runs over the same files")
    first, second = (f1_of(*each) for each in _resampled([better, worse], rows, groups, repetitions, seed))
    return bounds(first - second)


def cost_difference(
    better: Judged, worse: Judged, costs: CostGoal, *, repetitions: int, seed: int, groups: Groups
) -> Interval:
    """Return the 95 % interval of cost(`better`) - cost(`worse`) per relevant pair, as `f1_difference` does."""
    every = np.ones(len(better.pairs), dtype=np.bool_)
    first, second = (_cost(*each, costs) for each in _resampled([better, worse], every, groups, repetitions, seed))
    return bounds(first - second)


def f1_of(hits: Floats, relevant: Floats, predicted: Floats) -> Floats:
    """Return F1 per repetition, 0 where nothing is relevant nor predicted."""
    return 2 * hits / np.maximum(relevant + predicted, 1.0)


def bounds(values: Floats) -> Interval:
    """Return the bounds of the values that are defined; NaN where none is."""
    defined = values[~np.isnan(values)]
    low, high = np.quantile(defined, _BOUNDS) if len(defined) else (np.nan, np.nan)
    return float(low), float(high)


def _resampled(
    sides: Sequence[Judged], rows: Mask, groups: Groups | None, repetitions: int, seed: int
) -> list[tuple[Floats, Floats, Floats]]:
    """Return hits, relevant and predicted pairs of each side in every repetition.

    A query group enters a repetition Poisson(1) times, the same for all sides.

    k groups with the same counts enter together, Poisson(k) times: the same distribution, drawn for a few hundred
    kinds of groups in place of every query.
    """
    pairs = sides[0].pairs
    kinds = _kinds(sides, rows, query_groups(pairs.filter(rows)) if groups is None else groups[rows])
    often, counts = kinds["often"].to_numpy(), kinds.drop("often").to_numpy().astype(np.float64)
    rng = np.random.default_rng(seed)
    sums = [
        rng.poisson(often, (min(_CHUNK, repetitions - start), len(often))) @ counts
        for start in range(0, repetitions, _CHUNK)
    ]
    relevant, *decided = np.concatenate(sums).T
    return [(hits, relevant, predicted) for hits, predicted in zip(decided[::2], decided[1::2], strict=True)]


def _kinds(sides: Sequence[Judged], rows: Mask, groups: Groups) -> pl.DataFrame:
    """Return the distinct counts of query groups (relevant, then hits and predictions per side) and how often each."""
    columns = {"group": pl.Series(groups), "relevant": pl.Series(sides[0].pairs.labels[rows])}
    for number, side in enumerate(sides):
        columns[f"hits {number}"] = pl.Series(((side.pairs.labels == 1) & side.decision)[rows])
        columns[f"predicted {number}"] = pl.Series(side.decision[rows])
    counts = pl.DataFrame(columns).group_by("group").agg(pl.exclude("group").cast(int).sum())
    names = counts.columns[1:]
    return counts.group_by(names).agg(often=pl.len()).sort(names)


def _cost(hits: Floats, relevant: Floats, predicted: Floats, costs: CostGoal) -> Floats:
    errors = costs.false_positive * (predicted - hits) + costs.false_negative * (relevant - hits)
    return errors / np.maximum(relevant, 1.0)
