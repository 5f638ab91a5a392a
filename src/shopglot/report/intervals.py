"""Intervals of all metrics of many slices at once, by resampling query groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.judged import Judged
from shopglot.core.metrics import Floats, average_precision, equal_mass_bins
from shopglot.merge.intervals import Groups, Interval, bounds, f1_of
from shopglot.report.slices import Rows

BLOCKS: Final = 2_000
"""More query groups than these are dealt at random into as many blocks, and the blocks are resampled (random groups,
Wolter 2007): an interval's width then varies by 1.6 %, less than by a thousand repetitions."""
SCORE_BINS: Final = 200
"""Bins of probability behind the intervals of PR-AUC; a slice with fewer pairs loses nothing by them."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The 95 % percentile intervals of one slice (Efron and Tibshirani, 1993, chapter 13)."""

    f1: Interval
    pr_auc: Interval
    mcc: Interval


def slice_intervals(
    judged: Judged, groups: Groups, slices: Sequence[Rows], *, repetitions: int, seed: int
) -> list[Intervals]:
    """Return the intervals of each slice of the rows.

    In every repetition a group enters Poisson(1) times, the same for all slices. A repetition that is left without a
    relevant pair has no PR-AUC and is passed over.
    """
    blocks, times = _drawn(groups, repetitions, seed)
    return [Intervals(*map(bounds, Counts.of(judged, blocks, rows).measured(times))) for rows in slices]


@dataclass(frozen=True, slots=True)
class PairedIntervals:
    """The 95 % intervals of what a new model changes on one slice, and of the share of the base's MCC that it keeps."""

    f1: Interval
    pr_auc: Interval
    mcc: Interval
    mcc_kept: Interval


def paired_intervals(
    new: Judged, base: Judged, groups: Groups, slices: Sequence[Rows], *, repetitions: int, seed: int
) -> list[PairedIntervals]:
    """Return the intervals of new minus base on each slice of the same rows, resampled together as `slice_intervals`.

    A repetition in which the base's MCC is not above 0 says nothing of a share and is passed over there.
    """
    blocks, times = _drawn(groups, repetitions, seed)
    found = []
    for rows in slices:
        ours, theirs = (Counts.of(each, blocks, rows).measured(times) for each in (new, base))
        (mcc, of) = ours[-1], theirs[-1]
        kept = np.divide(mcc, of, out=np.full(len(of), np.nan), where=of > 0)
        found.append(PairedIntervals(*map(bounds, [*(ours - theirs), kept])))
    return found


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """The pairs of a slice counted per block of query groups and cell: bin of probability, label and decision.

    `blocks` are the blocks that occur and `table` has shape (their number, bins, 2, 2), the highest probabilities
    first. `lost` is the PR-AUC that is lost by taking the probabilities of a bin for equal.
    """

    blocks: Groups
    table: NDArray[np.float32]
    lost: float

    @classmethod
    def of(cls, judged: Judged, blocks: Groups, rows: Rows) -> Self:
        """Return the counts of some rows; there is at least one. `blocks` has shape (all rows,)."""
        scores, labels = judged.probability[rows], judged.pairs.labels[rows]
        _, bins = np.unique(equal_mass_bins(-scores, SCORE_BINS), return_inverse=True)
        lost = average_precision(labels, scores) - average_precision(labels, -bins.astype(np.float64))
        present, block = np.unique(blocks[rows], return_inverse=True)
        shape = (len(present), int(bins.max()) + 1, 2, 2)
        cell = np.ravel_multi_index((block, bins, labels, judged.decision[rows].astype(np.intp)), shape)
        table = np.bincount(cell, minlength=prod(shape)).astype(np.float32).reshape(shape)
        return cls(present, table, lost)

    def measured(self, times: NDArray[np.float32]) -> Floats:
        """Return F1, PR-AUC and MCC where each block enters so many `times`, shape (repetitions, all blocks).

        The result has shape (3, repetitions); PR-AUC is NaN where nothing relevant entered.
        """
        drawn = np.tensordot(times[:, self.blocks], self.table, axes=1).astype(np.float64)
        (tn, fp), (fn, tp) = drawn.sum(axis=1).transpose(1, 2, 0)
        pairs = drawn.sum(axis=3)
        areas = np.clip(self.lost + _pr_auc(pairs[..., 1], pairs.sum(axis=2)), 0.0, 1.0)
        return np.stack([f1_of(tp, tp + fn, tp + fp), areas, _mcc(tp, fp, fn, tn)])


def _drawn(groups: Groups, repetitions: int, seed: int) -> tuple[Groups, NDArray[np.float32]]:
    """Return the block of each row, and how often each block enters each repetition."""
    rng = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    blocks = (rng.permutation(count) % BLOCKS)[groups]
    return blocks, rng.poisson(1.0, (repetitions, min(count, BLOCKS))).astype(np.float32)


def _pr_auc(relevant: Floats, pairs: Floats) -> Floats:
    """Return PR-AUC per repetition of counts per bin, shape (repetitions, bins); NaN without a relevant pair."""
    found, seen = np.cumsum(relevant, axis=1), np.cumsum(pairs, axis=1)
    area = np.sum(relevant * found / np.maximum(seen, 1.0), axis=1)
    share: Floats = np.divide(area, found[:, -1], out=np.full(len(area), np.nan), where=found[:, -1] > 0)
    return share


def _mcc(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return Matthews' correlation per repetition, 0 where labels or decisions have one class only."""
    scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    correlation: Floats = np.divide(tp * tn - fp * fn, scale, out=np.zeros(len(scale)), where=scale > 0)
    return correlation
