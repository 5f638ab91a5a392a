"""Probabilities on the scale of log odds, and back."""

from typing import Final

import numpy as np

from shopglot.core.metrics import Floats

_EDGE: Final = 1e-7


def logit(scores: Floats) -> Floats:
    """Return the log odds of scores in [0, 1], kept within ±16.

    A float32 model that answers exactly 0 or 1 would otherwise outvote every other one.
    """
    inside = np.clip(scores, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def sigmoid(log_odds: Floats) -> Floats:
    """Return the probabilities of `log_odds`, without overflow at either end."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))
