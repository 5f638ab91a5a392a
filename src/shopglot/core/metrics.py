"""Measures of binary relevance as plain functions of labels and scores; scikit-learn is their oracle in the tests."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int8]
Decisions = NDArray[np.bool_]
Floats = NDArray[np.float64]

CALIBRATION_BINS: Final = 15


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of decisions against labels; counts may be weighted.

    >>> table = Confusion.of(np.array([1, 1, 0]), np.array([True, False, False]))
    >>> table.precision, table.recall, round(table.f1, 3)
    (1.0, 0.5, 0.667)
    """

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @classmethod
    def of(cls, labels: Labels, decisions: Decisions, weights: Floats | None = None) -> Self:
        """Return the counts, or the sums of `weights`, of each kind of decision."""
        relevant = labels == 1
        weight = np.ones(len(labels)) if weights is None else weights
        kinds = (relevant & decisions, ~relevant & decisions, relevant & ~decisions, ~relevant & ~decisions)
        return cls(*(float(weight[kind].sum()) for kind in kinds))

    @property
    def precision(self) -> float:
        """The share of relevant pairs among those decided relevant; 0 when there are none."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """The share of relevant pairs that were decided relevant; 0 when there are none."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall of the positive class."""
        return _ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the recall of both classes."""
        return (self.recall + _ratio(self.true_negative, self.true_negative + self.false_positive)) / 2

    @property
    def mcc(self) -> float:
        """Matthews' correlation of labels and decisions; 0 when either has one class only."""
        tp, fp, fn, tn = self.true_positive, self.false_positive, self.false_negative, self.true_negative
        return _ratio(tp * tn - fp * fn, float(np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))))

    @property
    def all_positive_f1(self) -> float:
        """The F1 of calling every pair relevant: what any model has to beat."""
        positives = self.true_positive + self.false_negative
        return _ratio(2 * positives, 2 * positives + self.false_positive + self.true_negative)


def average_precision(labels: Labels, scores: Floats, weights: Floats | None = None) -> float:
    """Return the area under the precision–recall curve as a step function (PR-AUC); NaN without a positive."""
    _, true_positive, predicted = _by_threshold(labels, scores, weights)
    if true_positive[-1] == 0:
        return float("nan")
    gained = np.diff(true_positive, prepend=0.0)
    return float(np.sum(gained * true_positive / predicted) / true_positive[-1])


def roc_auc(labels: Labels, scores: Floats) -> float:
    """Return the probability that a relevant pair scores above an irrelevant one, ties half; NaN with one class."""
    _, true_positive, predicted = _by_threshold(labels, scores)
    false_positive = predicted - true_positive
    area = np.trapezoid(np.append(0.0, true_positive), np.append(0.0, false_positive))
    positives, negatives = true_positive[-1], false_positive[-1]
    return float(area / (positives * negatives)) if positives and negatives else float("nan")


def brier(labels: Labels, scores: Floats, weights: Floats | None = None) -> float:
    """Return the mean squared distance of probability and label."""
    return float(np.average((scores - labels) ** 2, weights=weights))


def calibration_error(labels: Labels, scores: Floats, weights: Floats | None = None) -> float:
    """Return how far the mean probability is from the share of relevant pairs, on average over bins of probability.

    The expected calibration error (Naeini et al. 2015) over 15 bins of as many pairs each, which is biased less than
    bins of equal width (Roelofs et al. 2022).
    """
    bins, weight = equal_mass_bins(scores, CALIBRATION_BINS), np.ones(len(scores)) if weights is None else weights
    return float(np.abs(np.bincount(bins, weights=weight * (scores - labels))).sum() / weight.sum())


def equal_mass_bins(scores: Floats, bins: int) -> NDArray[np.intp]:
    """Return the bin of each score, from 0 up; bins hold about as many scores each, and equal scores stay together.

    >>> equal_mass_bins(np.array([0.9, 0.1, 0.1, 0.2]), 2).tolist()
    [1, 0, 0, 1]
    """
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    return (bins * below // len(scores))[place]


def best_f1_threshold(labels: Labels, scores: Floats) -> float:
    """Return the threshold t for which `scores >= t` has the highest F1.

    It lies halfway to the next lower score, so that rounding moves no pair across it. Without a positive the answer
    is 1.0, which decides as few pairs as possible.
    """
    thresholds, true_positive, predicted = _by_threshold(labels, scores)
    if true_positive[-1] == 0:
        return 1.0
    best = int(np.argmax(2 * true_positive / (predicted + true_positive[-1])))
    below = thresholds[best + 1] if best + 1 < len(thresholds) else 0.0
    return float((thresholds[best] + below) / 2)


def _by_threshold(labels: Labels, scores: Floats, weights: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """Return the distinct scores from high to low, with relevant pairs and all pairs at or above each."""
    order = np.argsort(-scores, kind="stable")
    ranked, weight = scores[order], np.ones(len(scores)) if weights is None else weights[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true_positive, predicted = (np.cumsum(each)[last_of_tie] for each in (weight * (labels[order] == 1), weight))
    return ranked[last_of_tie], true_positive, predicted


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
