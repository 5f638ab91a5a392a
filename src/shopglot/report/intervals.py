"""Intervals by resampling query groups, for the pairs of one query stand and fall together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, factorial
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Floats, average_precision, equal_mass_bins
from shopglot.core.pairs import Pairs
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings
from shopglot.report.slices import Rows

Interval = tuple[float, float]
Groups = NDArray[np.intp]
"""The number of the query group of each row, shape (rows,)."""

SCORE_BINS: Final = 200
"""Bins of probability behind the intervals of PR-AUC; a slice with fewer pairs loses nothing by them."""
_BOUNDS: Final = (0.025, 0.975)
_CHUNK: Final = 25
"""Repetitions drawn at a time, which bounds the memory."""
_BY_QUERY: Final = FoldSettings(qc="query", qi="query")


@dataclass(frozen=True, slots=True)
class Intervals:
    """The 95 % percentile intervals of one slice (Efron and Tibshirani, 1993, chapter 13)."""

    f1: Interval
    pr_auc: Interval
    mcc: Interval


def query_groups(pairs: Pairs) -> Groups:
    """Return the query group of each row as folds know it: all spellings of a query, and its known translations."""
    originals = Pairs(pairs.frame.with_columns(made_from=pl.lit(None, dtype=pl.String)))
    return group_pairs(originals, _BY_QUERY)["query"].to_physical().to_numpy().astype(np.intp)


def slice_intervals(
    judged: Judged, groups: Groups, slices: Sequence[Rows], *, repetitions: int, seed: int
) -> list[Intervals]:
    """Return the intervals of each slice of the rows.

    In every repetition a group enters Poisson(1) times, the same for all slices. A repetition that is left without a
    relevant pair has no PR-AUC and is passed over.
    """
    counted = [Counts.of(judged, groups, rows) for rows in slices]
    found: list[list[Floats]] = [[] for _ in slices]
    for times in _multiplicities(int(groups.max(initial=-1)) + 1, repetitions, seed):
        for each, measured in zip(counted, found, strict=True):
            measured.append(each.measured(times))
    return [Intervals(*map(_bounds, np.concatenate(measured, axis=1))) for measured in found]


def f1_difference(better: Judged, worse: Judged, rows: Mask, *, repetitions: int, seed: int) -> Interval:
    """Return the 95 % interval of F1(`better`) - F1(`worse`) on the same pairs, resampled together.

    k groups with the same counts enter together, Poisson(k) times: the same distribution, drawn for a few hundred
    kinds of groups in place of every query.
    """
    if not better.pairs["id"].equals(worse.pairs["id"]):
        raise DataError(f"{better.name!r} and {worse.name!r} judge different pairs; compare runs over the same files")
    kinds = _kinds([better, worse], rows)
    groups, counts = kinds["groups"].to_numpy(), kinds.drop("groups").to_numpy().astype(np.float64)
    rng = np.random.default_rng(seed)
    sums = [rng.poisson(groups, (size, len(groups))) @ counts for size in _chunks(repetitions)]
    relevant, *decided = np.concatenate(sums).T
    first, second = (_f1(hits, relevant, predicted) for hits, predicted in zip(decided[::2], decided[1::2], strict=True))
    return _bounds(first - second)


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """The pairs of a slice by group and by cell: the bin of their probability, their label and their decision.

    `group` and `cell` have shape (rows,). Bins are numbered from the highest probability down; `lost` is the PR-AUC
    that is lost by taking the probabilities of a bin for equal.
    """

    group: Groups
    cell: NDArray[np.intp]
    bins: int
    lost: float

    @classmethod
    def of(cls, judged: Judged, groups: Groups, rows: Rows) -> Self:
        """Return the counts of some rows; there is at least one."""
        scores, labels = judged.probability[rows], judged.pairs.labels[rows]
        _, bins = np.unique(equal_mass_bins(-scores, SCORE_BINS), return_inverse=True)
        lost = average_precision(labels, scores) - average_precision(labels, -bins.astype(np.float64))
        return cls(groups[rows], 4 * bins + 2 * labels + judged.decision[rows], int(bins.max()) + 1, lost)

    def measured(self, times: Floats) -> Floats:
        """Return F1, PR-AUC and MCC where each group enters so many `times`, shape (repetitions, groups).

        The result has shape (3, repetitions); PR-AUC is NaN where nothing relevant entered.
        """
        sums = [np.bincount(self.cell, weights=each[self.group], minlength=4 * self.bins) for each in times]
        table = np.reshape(sums, (len(times), self.bins, 2, 2))
        (tn, fp), (fn, tp) = table.sum(axis=1).transpose(1, 2, 0)
        pairs = table.sum(axis=3)
        areas = self.lost + _pr_auc(pairs[..., 1], pairs.sum(axis=2))
        return np.stack([_f1(tp, tp + fn, tp + fp), areas, _mcc(tp, fp, fn, tn)])


def _multiplicities(groups: int, repetitions: int, seed: int) -> Iterator[Floats]:
    """Yield how often each group enters in some repetitions, until all are drawn."""
    rng = np.random.default_rng(seed)
    for size in _chunks(repetitions):
        yield _POISSON[rng.integers(len(_POISSON), size=(size, groups), dtype=np.uint16)]


def _poisson_table() -> Floats:
    """Return 65,536 equally likely values of a Poisson(1) variable, to draw from in a tenth of the usual time."""
    likely = np.cumsum([exp(-1) / factorial(value) for value in range(20)])
    ends = np.rint(2**16 * likely).astype(np.intp)
    return np.repeat(np.arange(20.0), np.diff(ends, prepend=0))


_POISSON: Final = _poisson_table()


def _chunks(repetitions: int) -> list[int]:
    return [min(_CHUNK, repetitions - start) for start in range(0, repetitions, _CHUNK)]


def _kinds(sides: Sequence[Judged], rows: Mask) -> pl.DataFrame:
    """Return the distinct counts of query groups (relevant, then hits and predictions per side) and how often each."""
    pairs = sides[0].pairs.filter(rows)
    columns = {"query": query_groups(pairs), "relevant": pairs["label"]}
    for number, side in enumerate(sides):
        columns[f"hits {number}"] = ((side.pairs.labels == 1) & side.decision)[rows]
        columns[f"predicted {number}"] = side.decision[rows]
    counts = pl.DataFrame(columns).group_by("query").agg(pl.exclude("query").cast(int).sum())
    names = counts.columns[1:]
    return counts.group_by(names).agg(groups=pl.len()).sort(names)


def _f1(hits: Floats, relevant: Floats, predicted: Floats) -> Floats:
    """Return F1 per repetition, 0 where nothing is relevant nor predicted."""
    return 2 * hits / np.maximum(relevant + predicted, 1.0)


def _pr_auc(relevant: Floats, pairs: Floats) -> Floats:
    """Return PR-AUC per repetition of counts per bin, shape (repetitions, bins); NaN without a relevant pair."""
    found, seen = np.cumsum(relevant, axis=1), np.cumsum(pairs, axis=1)
    area = np.sum(relevant * found / np.maximum(seen, 1.0), axis=1)
    return np.divide(area, found[:, -1], out=np.full(len(area), np.nan), where=found[:, -1] > 0)


def _mcc(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return Matthews' correlation per repetition, 0 where labels or decisions have one class only."""
    scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / np.where(scale > 0, scale, 1.0)


def _bounds(values: Floats) -> Interval:
    """Return the bounds of the values that are defined; NaN where none is."""
    defined = values[~np.isnan(values)]
    low, high = np.quantile(defined, _BOUNDS) if len(defined) else (np.nan, np.nan)
    return float(low), float(high)
