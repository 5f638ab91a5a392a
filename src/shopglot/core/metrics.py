"""Measures of binary relevance as plain functions of labels and scores; scikit-learn is their oracle in the tests."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int8]
Decisions = NDArray[np.bool_]
Floats = NDArray[np.float64]


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


def average_precision(labels: Labels, scores: Floats) -> float:
    """Return the area under the precision–recall curve as a step function (PR-AUC); NaN without a positive."""
    _, true_positive, predicted = _by_threshold(labels, scores)
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


def brier(labels: Labels, scores: Floats) -> float:
    """Return the mean squared distance of probability and label."""
    return float(np.mean((scores - labels) ** 2))


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


def _by_threshold(labels: Labels, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distinct scores from high to low, with relevant pairs and all pairs at or above each."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true_positive = np.cumsum(labels[order] == 1, dtype=np.float64)[last_of_tie]
    return ranked[last_of_tie], true_positive, last_of_tie + 1.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
