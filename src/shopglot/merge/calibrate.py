"""Scores become probabilities: of the pairs that get 0.7, seven in ten should be relevant."""

from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shopglot.core.errors import RecipeError
from shopglot.core.log_odds import logit, sigmoid
from shopglot.core.metrics import Floats, Labels
from shopglot.merge.logistic import fit_logistic
from shopglot.merge.settings import CalibrationKind

_TILT: Final = 1e-6


class Calibration(BaseModel):
    """A map from scores to probabilities that never turns their order round.

    "temperature" is temperature scaling (Guo et al. 2017) with an intercept, that is Platt's (1999) sigmoid on the
    log odds: `sigmoid(slope * logit(score) + intercept)`, at the temperature `1 / slope`. "isotonic" interpolates
    between `knots`. "none" leaves the scores as they are.

    >>> half_as_sure = Calibration(kind="temperature", slope=0.5)
    >>> half_as_sure(np.array([0.1, 0.5, 0.9])).round(2).tolist()
    [0.25, 0.5, 0.75]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CalibrationKind
    slope: float = Field(1.0, ge=0, description="Factor on the log odds, for the temperature.")
    intercept: float = Field(0.0, description="Shift of the log odds, for the temperature.")
    knots: tuple[tuple[float, float], ...] = Field(
        (), description="Scores in rising order, each with its probability, for isotonic."
    )

    def __call__(self, scores: Floats) -> Floats:
        """Return the probabilities of `scores`, in their shape."""
        if self.kind == "temperature":
            return sigmoid(self.slope * logit(scores) + self.intercept)
        if self.kind == "isotonic":
            at, probability = np.array(self.knots).T
            return np.asarray(np.interp(scores, at, probability))
        return scores


def fit_calibration(
    labels: Labels, scores: Floats, kind: CalibrationKind, weights: Floats | None = None
) -> Calibration:
    """Return the calibration with the lowest log loss (temperature) or squared loss (isotonic) on the rows.

    `weights` say how many rows each of them stands for.

    Where the scores say nothing (all the same, or labels of one class only) the result is constant on them, at the
    share of relevant pairs, drawn a little inside 0 and 1.
    """
    if kind == "temperature":
        slopes, intercept = fit_logistic(logit(scores)[:, np.newaxis], labels, weights=weights)
        return Calibration(kind=kind, slope=float(slopes[0]), intercept=intercept)
    if kind == "isotonic":
        return Calibration(kind=kind, knots=_isotonic_knots(labels, scores, weights))
    return Calibration(kind=kind)


def _isotonic_knots(labels: Labels, scores: Floats, weights: Floats | None) -> tuple[tuple[float, float], ...]:
    fitted = _isotonic_regression()(out_of_bounds="clip").fit(scores, labels, weights)
    at = np.array([0.0, *fitted.X_thresholds_, 1.0])
    # No number of rows proves a probability of 0 or 1.
    certain = 1.0 / (len(labels) + 2)
    probability = np.clip(fitted.predict(at), certain, 1.0 - certain)
    # Steps would tie pairs that the scores rank; a tilt too small to change any probability keeps their order.
    tilted = (1.0 - _TILT) * probability + _TILT * at
    knots = dict(zip(at.tolist(), tilted.tolist(), strict=True))
    return tuple(knots.items())


def _isotonic_regression() -> Any:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as missing:
        raise RecipeError("isotonic calibration needs scikit-learn: pip install 'shopglot[train]'") from missing
    return IsotonicRegression
