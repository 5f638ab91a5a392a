"""The threshold from which a pair counts as relevant."""

from typing import Final

import numpy as np

from shopglot.core.metrics import Floats, Labels
from shopglot.merge.settings import CostGoal, F1Goal, Goal, PrecisionGoal

_SHARPNESS: Final = 6.0
_F1: Final = F1Goal()


def steady_threshold(labels: Labels, probabilities: Floats, weights: Floats | None = None, goal: Goal = _F1) -> float:
    """Return a threshold t for which `probabilities >= t` serves the goal on rows yet to come.

    The threshold with the highest F1 on the rows at hand is the peak of a flat and ragged curve: on a few hundred
    rows it jumps with every label. So each relevant pair votes for the threshold just below its own probability,
    and the votes are averaged. A vote counts the less, the further the F1 of its threshold lies below the best, in
    units of one sixth of `1 / sqrt(relevant pairs)`, a fraction of that F1's own error. On the simulated scores of
    tests/merge/test_threshold.py this loses about half as much F1 on new rows as the peak does.

    For a cost every pair votes, on the cost per relevant pair in units of the geometric mean of what both errors
    cost; the threshold never rises with the cost of a miss. The highest precision with enough recall lies where the
    recall is just enough, which is steady by itself.

    `labels` has at least one relevant pair; `weights` say how many rows each of them stands for.

    >>> round(steady_threshold(np.array([1, 1, 0], dtype=np.int8), np.array([0.8, 0.8, 0.4])), 2)
    0.6
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked, counts = probabilities[order], np.ones(len(order)) if weights is None else weights[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    relevant = np.cumsum(counts * (labels[order] == 1))[last_of_tie]
    predicted = np.cumsum(counts)[last_of_tie]
    cuts = ranked[last_of_tie]
    cuts = (cuts + np.append(cuts[1:], 0.0)) / 2
    match goal:
        case PrecisionGoal():
            enough = relevant >= goal.recall * relevant[-1]
            return float(cuts[np.argmax(np.where(enough, relevant / predicted, -1.0))])
        case CostGoal():
            dearness = np.sqrt(goal.false_negative / goal.false_positive)
            quality = -((predicted - relevant) / dearness + (relevant[-1] - relevant) * dearness) / (2 * relevant[-1])
            voters = np.diff(predicted, prepend=0.0)
        case F1Goal():
            quality = 2 * relevant / (predicted + relevant[-1])
            voters = np.diff(relevant, prepend=0.0)
    votes = voters * np.exp(_SHARPNESS * np.sqrt(relevant[-1]) * (quality - quality.max()))
    return float(np.average(cuts, weights=votes))
