"""The logistic regression that weights and calibration are fitted by."""

from typing import Any, Final

import numpy as np

from shopglot.core.errors import RecipeError
from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Floats, Labels

_CONSTANT: Final = 1e-9


def fit_logistic(
    features: Floats, labels: Labels, *, shrinkage: float = 0.0, weights: Floats | None = None
) -> tuple[Floats, float]:
    """Return non-negative slopes, shape (columns,), and the intercept with the lowest log loss on the rows.

    `weights` say how many rows each of them stands for.

    The targets are Platt's (1999), a little inside 0 and 1, so that a single class or a perfect separation has a
    finite answer. `shrinkage` draws the slopes towards each other by their squared distance from their mean, in
    units of the features' overall deviation and against the summed loss: its pull fades as rows are added.
    Constant columns keep the slope of one divided by their number, for they say nothing about it.
    """
    minimize = _minimize()
    rows, columns = features.shape
    centre, deviation = features.mean(axis=0), float(np.sqrt(features.var(axis=0).mean()))
    scale = deviation if deviation > _CONSTANT else 1.0
    inputs, targets = (features - centre) / scale, _targets(labels)
    counts = np.ones(rows) if weights is None else weights * rows / weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slopes, log_odds = parameters[:-1], inputs @ parameters[:-1] + parameters[-1]
        residual, spread = counts * (sigmoid(log_odds) - targets), slopes - slopes.mean()
        value = counts @ (np.logaddexp(0.0, log_odds) - targets * log_odds) / rows + shrinkage * (spread @ spread) / (
            2 * rows
        )
        gradient = (residual @ inputs + shrinkage * spread) / rows
        return float(value), np.append(gradient, residual.mean())

    start = np.append(np.full(columns, scale / columns), 0.0)
    bounds = [(0.0, None)] * columns + [(None, None)]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000}
    best: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    slopes = best[:-1] / scale
    return slopes, float(best[-1] - slopes @ centre)


def _targets(labels: Labels) -> Floats:
    positives = int(np.sum(labels == 1))
    negatives = len(labels) - positives
    return np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def _minimize() -> Any:
    try:
        from scipy.optimize import minimize
    except ImportError as missing:
        raise RecipeError("fitting weights and calibration needs scipy: pip install 'shopglot[train]'") from missing
    return minimize
