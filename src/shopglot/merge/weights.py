"""How much each model counts in a blend."""

from typing import Final

import numpy as np

from shopglot.core.log_odds import logit
from shopglot.core.metrics import Floats, Labels
from shopglot.merge.logistic import fit_logistic

_SHRINKAGE: Final = 1.0


def fit_weights(labels: Labels, scores: Floats) -> Floats:
    """Return non-negative weights that sum to one, shape (models,), for scores of shape (rows, models).

    They minimise the log loss of the blended log odds, after a slope and an intercept fitted together with them: a
    blend of models that are all too sure is mended by the calibration, not by the weights. The fit shrinks mildly
    towards equal weights, which is also the answer where no model tells relevant from irrelevant.
    """
    slopes, _ = fit_logistic(logit(scores), labels, shrinkage=_SHRINKAGE)
    total = float(slopes.sum())
    return slopes / total if total else np.full(len(slopes), 1.0 / len(slopes))
