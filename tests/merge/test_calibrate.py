import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from shopglot.core.log_odds import logit
from shopglot.core.metrics import Floats, Labels
from shopglot.merge.calibrate import Calibration, fit_calibration
from shopglot.merge.settings import CalibrationKind
from tests.merge.doubles import simulated

KINDS: list[CalibrationKind] = ["temperature", "isotonic", "none"]
GRID = np.linspace(0.0, 1.0, 101)

kinds = st.sampled_from(KINDS)
scores = arrays.arrays(np.float64, 12, elements=st.floats(0.0, 1.0))
labels = arrays.arrays(np.int8, 12, elements=st.integers(0, 1))


def test_the_temperature_agrees_with_unpenalised_logistic_regression_on_platts_targets() -> None:
    label, score = simulated(3000, 1, seed=0, temperature=[0.4])
    positives, negatives = int(label.sum()), int((1 - label).sum())
    target = np.where(label == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    twice = np.vstack([logit(score), logit(score)])
    weight = np.concatenate([target, 1 - target])
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(twice, np.repeat([1, 0], len(label)), weight)
    fitted = fit_calibration(label, score[:, 0], "temperature")
    assert (fitted.slope, fitted.intercept) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=1e-5)


def test_platts_targets_matter_only_on_few_rows() -> None:
    label, score = simulated(3000, 1, seed=0, temperature=[0.4])
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(score), label)
    fitted = fit_calibration(label, score[:, 0], "temperature")
    assert fitted(score[:, 0]) == pytest.approx(oracle.predict_proba(logit(score))[:, 1], abs=2e-3)


def test_isotonic_agrees_with_scikit_learn() -> None:
    label, score = simulated(500, 1, seed=1, temperature=[0.4])
    oracle = IsotonicRegression(out_of_bounds="clip").fit(score[:, 0], label)
    expected = np.clip(oracle.predict(GRID), 1 / 502, 501 / 502)
    assert fit_calibration(label, score[:, 0], "isotonic")(GRID) == pytest.approx(expected, abs=2e-6)


def test_a_known_miscalibration_is_undone() -> None:
    label, score = simulated(50_000, 1, seed=2, temperature=[0.5])
    fitted = fit_calibration(label, score[:, 0], "temperature")
    again = fit_calibration(label, fitted(score[:, 0]), "temperature")
    assert (again.slope, again.intercept) == pytest.approx((1.0, 0.0), abs=1e-3)


@settings(max_examples=60)
@given(labels, scores, kinds)
def test_a_higher_score_never_gets_a_lower_probability(label: Labels, score: Floats, kind: CalibrationKind) -> None:
    probability = fit_calibration(label, score, kind)(GRID)
    assert np.all(np.diff(probability) >= 0)
    assert probability.min() >= 0
    assert probability.max() <= 1


@settings(max_examples=60)
@given(labels, scores)
def test_isotonic_steps_keep_the_ranking(label: Labels, score: Floats) -> None:
    assert np.all(np.diff(fit_calibration(label, score, "isotonic")(GRID)) > 0)


@settings(max_examples=60)
@given(labels, scores, kinds)
def test_a_calibration_reads_back_from_json_as_itself(label: Labels, score: Floats, kind: CalibrationKind) -> None:
    fitted = fit_calibration(label, score, kind)
    assert Calibration.model_validate_json(fitted.model_dump_json()) == fitted


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
@pytest.mark.parametrize(("positives", "expected"), [(0, 1 / 12), (10, 11 / 12)])
def test_one_class_only_gives_its_share_drawn_a_little_inside(
    kind: CalibrationKind, positives: int, expected: float
) -> None:
    label = np.repeat(np.array([1, 0], dtype=np.int8), [positives, 10 - positives])
    score = np.linspace(0.1, 0.9, 10)
    assert fit_calibration(label, score, kind)(score) == pytest.approx(np.full(10, expected), abs=1e-4)


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_a_constant_score_gives_the_share_of_relevant_pairs(kind: CalibrationKind, score: float) -> None:
    label = np.array([1, 1, 1, 0] * 100, dtype=np.int8)
    assert fit_calibration(label, np.full(400, score), kind)(np.array([score])) == pytest.approx([0.75], abs=3e-3)


@pytest.mark.parametrize("kind", ["temperature", "isotonic"])
def test_a_perfect_separation_on_few_rows_claims_no_certainty(kind: CalibrationKind) -> None:
    label, score = np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.2, 0.8, 0.9])
    probability = fit_calibration(label, score, kind)(score)
    assert np.all((probability > 0.05) & (probability < 0.95))


def test_none_leaves_the_scores_as_they_are() -> None:
    assert Calibration(kind="none")(GRID).tolist() == GRID.tolist()
