"""Every measure of one slice of judged pairs, side by side, so that no F1 stands alone."""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, average_precision, brier, roc_auc
from shopglot.report.intervals import Interval, f1_difference, f1_interval
from shopglot.report.settings import ReportSettings

ALL: Final = "all"
"""The slice of a difference that holds every pair of the task."""


class Measures(BaseModel):
    """The quality of decisions and probabilities on some pairs.

    What compares relevant with irrelevant pairs is None where the pairs are all of one class.
    """

    model_config = ConfigDict(frozen=True)

    count: int
    positive_rate: float
    f1: float
    precision: float
    recall: float
    pr_auc: float | None
    roc_auc: float | None
    mcc: float | None
    balanced_accuracy: float | None
    brier: float
    all_positive_f1: float

    @classmethod
    def of(cls, judged: Judged, rows: Mask | None = None) -> "Measures":
        """Return the measures of `judged`, or of its rows for which the mask is true; there is at least one."""
        kept = slice(None) if rows is None else rows
        labels, scores, decisions = judged.pairs.labels[kept], judged.probability[kept], judged.decision[kept]
        table = Confusion.of(labels, decisions)
        both = 0 < np.count_nonzero(labels) < len(labels)
        return Measures(
            count=len(labels),
            positive_rate=float(np.mean(labels)),
            f1=table.f1,
            precision=table.precision,
            recall=table.recall,
            pr_auc=average_precision(labels, scores) if both else None,
            roc_auc=roc_auc(labels, scores) if both else None,
            mcc=table.mcc if both else None,
            balanced_accuracy=table.balanced_accuracy if both else None,
            brier=brier(labels, scores),
            all_positive_f1=table.all_positive_f1,
        )


class SliceReport(Measures):
    """The measures of some pairs with the 95 % interval of their F1."""

    f1_interval: Interval


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


def slice_report(judged: Judged, rows: Mask, settings: ReportSettings, seed: int) -> SliceReport:
    """Return the measures of the rows for which the mask is true, with the interval of their F1."""
    interval = f1_interval(judged, rows, repetitions=settings.bootstrap, seed=seed)
    return SliceReport(**Measures.of(judged, rows).model_dump(), f1_interval=interval)


def difference(shipped: Judged, alone: Judged, rows: Mask, settings: ReportSettings, seed: int) -> Difference:
    """Return how much F1 `shipped` has over `alone` on the rows for which the mask is true."""
    interval = f1_difference(shipped, alone, rows, repetitions=settings.bootstrap, seed=seed)
    gained = Measures.of(shipped, rows).f1 - Measures.of(alone, rows).f1
    return Difference(f1=gained, interval=interval, count=int(rows.sum()))


def values_of(column: pl.Series) -> dict[str, Mask]:
    """Return the rows of each value, the most frequent value first; null is "unknown"."""
    values = column.cast(pl.String).fill_null("unknown").alias("value")
    counts = values.value_counts().sort(["count", "value"], descending=[True, False])
    return {value: (values == value).to_numpy() for value in counts["value"]}
