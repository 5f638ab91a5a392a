"""Every measure of one slice of judged pairs, side by side, so that no F1 stands alone."""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import (
    Confusion,
    Decisions,
    Floats,
    Labels,
    average_precision,
    brier,
    calibration_error,
    roc_auc,
)
from shopglot.merge.intervals import Groups, Interval, f1_difference
from shopglot.report.intervals import Intervals, slice_intervals
from shopglot.report.settings import ReportSettings
from shopglot.report.slices import Rows

ALL: Final = "all"
"""The slice of a difference that holds every pair of the task."""
UNKNOWN: Final = "unknown"
"""The slice of the pairs that have no value."""
FEW_PAIRS: Final = 100
FEW_GROUPS: Final = 20
"""A slice with fewer pairs, or fewer query groups, is small."""


class Quality(BaseModel):
    """The quality of decisions and probabilities on some pairs, each counted once or by its weight.

    What compares relevant with irrelevant pairs is None where the pairs are all of one class.
    """

    model_config = ConfigDict(frozen=True)

    f1: float
    precision: float
    recall: float
    pr_auc: float | None
    mcc: float | None
    brier: float
    calibration_error: float

    @classmethod
    def by(cls, labels: Labels, scores: Floats, decisions: Decisions, weights: Floats | None = None) -> "Quality":
        """Return the quality of the rows, of which there is at least one; `weights` are above 0."""
        table, both = Confusion.of(labels, decisions, weights), _has_both(labels)
        return Quality(
            f1=table.f1,
            precision=table.precision,
            recall=table.recall,
            pr_auc=average_precision(labels, scores, weights) if both else None,
            mcc=table.mcc if both else None,
            brier=brier(labels, scores, weights),
            calibration_error=calibration_error(labels, scores, weights),
        )


class Measures(Quality):
    """The quality of some pairs, each counted once, and what it is worth; `weighted` where weights differ from 1."""

    count: int
    positive_rate: float
    roc_auc: float | None
    balanced_accuracy: float | None
    all_positive_f1: float
    weighted: Quality | None

    @classmethod
    def of(cls, judged: Judged, rows: Mask | Rows | None = None) -> "Measures":
        """Return the measures of `judged`, or of some of its rows; there is at least one."""
        kept = slice(None) if rows is None else rows
        labels, scores, decisions = judged.pairs.labels[kept], judged.probability[kept], judged.decision[kept]
        table, both = Confusion.of(labels, decisions), _has_both(labels)
        return Measures(
            **Quality.by(labels, scores, decisions).model_dump(),
            count=len(labels),
            positive_rate=float(np.mean(labels)),
            roc_auc=roc_auc(labels, scores) if both else None,
            balanced_accuracy=table.balanced_accuracy if both else None,
            all_positive_f1=table.all_positive_f1,
            weighted=_weighted(labels, scores, decisions, judged.pairs["weight"].to_numpy()[kept]),
        )


class SliceReport(Measures):
    """The measures of some pairs with their 95 % intervals over `groups` query groups.

    `small` says that there are fewer than `FEW_PAIRS` pairs or `FEW_GROUPS` groups, so that figures may be chance.
    """

    groups: int
    small: bool
    f1_interval: Interval
    pr_auc_interval: Interval | None
    mcc_interval: Interval | None


class Difference(BaseModel):
    """How much F1 the shipped model has over another learner, or another reading, on the same pairs."""

    model_config = ConfigDict(frozen=True)

    f1: float
    interval: Interval
    count: int


class Spread(BaseModel):
    """The mean and the sample deviation of one figure over the folds."""

    model_config = ConfigDict(frozen=True)

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Self | None:
        """Return the spread of the values that are defined, or None where no two of them are.

        >>> Spread.of([0.5, None, 0.7])
        Spread(mean=0.6, deviation=0.14142135623730948)
        """
        defined = [value for value in values if value is not None]
        if len(defined) < 2:  # noqa: PLR2004
            return None
        return cls(mean=float(np.mean(defined)), deviation=float(np.std(defined, ddof=1)))


def slice_reports(
    judged: Judged, groups: Groups, slices: Sequence[Rows], settings: ReportSettings, seed: int
) -> list[SliceReport]:
    """Return the measures of each slice of the rows with their intervals; `groups` are those of `query_groups`."""
    intervals = slice_intervals(judged, groups, slices, repetitions=settings.bootstrap, seed=seed)
    return [_slice_report(judged, groups, rows, found) for rows, found in zip(slices, intervals, strict=True)]


def whole_report(judged: Judged, groups: Groups, settings: ReportSettings, seed: int) -> SliceReport:
    """Return the measures of all pairs with their intervals; `groups` are those of `query_groups`."""
    (found,) = slice_reports(judged, groups, [np.arange(len(groups))], settings, seed)
    return found


def difference(
    shipped: Judged, alone: Judged, rows: Mask, settings: ReportSettings, seed: int, *, groups: Groups | None = None
) -> Difference:
    """Return how much F1 `shipped` has over `alone` on the rows for which the mask is true.

    `groups` are those of `query_groups` for all pairs, so that many slices find them once; None finds those of the
    rows.
    """
    interval = f1_difference(shipped, alone, rows, repetitions=settings.bootstrap, seed=seed, groups=groups)
    ours, theirs = (Confusion.of(each.pairs.labels[rows], each.decision[rows]) for each in (shipped, alone))
    return Difference(f1=ours.f1 - theirs.f1, interval=interval, count=int(rows.sum()))


def values_of(column: pl.Series) -> dict[str, Mask]:
    """Return the rows of each value, the most frequent value first; null is "unknown"."""
    values = column.cast(pl.String).fill_null(UNKNOWN).alias("value")
    counts = values.value_counts().sort(["count", "value"], descending=[True, False])
    return {value: (values == value).to_numpy() for value in counts["value"]}


def _has_both(labels: Labels) -> bool:
    return bool(labels.any() and not labels.all())


def _weighted(labels: Labels, scores: Floats, decisions: Decisions, weights: Floats) -> Quality | None:
    """Return the quality by weight; None where all weights are 1, which changes nothing, or all are 0."""
    counted = weights > 0
    if (weights == 1).all() or not counted.any():
        return None
    return Quality.by(labels[counted], scores[counted], decisions[counted], weights[counted])


def _slice_report(judged: Judged, groups: Groups, rows: Rows, found: Intervals) -> SliceReport:
    measures, of_rows = Measures.of(judged, rows), len(np.unique(groups[rows]))
    both = measures.mcc is not None
    return SliceReport(
        **measures.model_dump(),
        groups=of_rows,
        small=measures.count < FEW_PAIRS or of_rows < FEW_GROUPS,
        f1_interval=found.f1,
        pr_auc_interval=found.pr_auc if both else None,
        mcc_interval=found.mcc if both else None,
    )
