import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.metrics import Floats, Labels
from shopglot.merge.blend import blended
from shopglot.merge.calibrate import fit_calibration
from shopglot.merge.weights import fit_weights
from tests.merge.doubles import simulated


def log_loss(labels: Labels, scores: Floats) -> float:
    """The log loss that is left once the scores are calibrated on rows of their own."""
    half = len(labels) // 2
    probability = fit_calibration(labels[:half], scores[:half], "temperature")(scores[half:])
    return float(-np.mean(np.log(np.where(labels[half:] == 1, probability, 1 - probability))))


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 300), st.integers(1, 5))
def test_weights_are_shares(seed: int, rows: int, models: int) -> None:
    weights = fit_weights(*simulated(rows, models, seed))
    assert weights.shape == (models,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1.0)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.permutations(range(4)))
def test_permuting_the_models_permutes_the_weights(seed: int, order: list[int]) -> None:
    labels, scores = simulated(200, 4, seed)
    assert fit_weights(labels, scores[:, order]) == pytest.approx(fit_weights(labels, scores)[order], abs=1e-4)


def test_the_same_rows_give_the_same_weights() -> None:
    labels, scores = simulated(200, 3, seed=1)
    assert fit_weights(labels, scores).tolist() == fit_weights(labels, scores).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_on_new_rows_a_blend_is_at_least_as_good_as_its_best_member(seed: int) -> None:
    weights = fit_weights(*simulated(500, 3, seed))
    labels, scores = simulated(20_000, 3, seed + 100)
    members = [log_loss(labels, scores[:, n]) for n in range(3)]
    assert log_loss(labels, blended(scores, weights)) <= min(members) + 0.002


def test_models_that_are_all_too_sure_get_the_weights_of_modest_ones() -> None:
    modest = fit_weights(*simulated(5000, 3, seed=2))
    assert fit_weights(*simulated(5000, 3, seed=2, temperature=[0.5] * 3)) == pytest.approx(modest, abs=0.02)


def test_one_model_that_is_too_sure_counts_less_than_an_equal_that_is_not() -> None:
    labels, scores = simulated(5000, 1, seed=3)
    noisy = np.column_stack([scores, simulated(5000, 1, seed=3, temperature=[0.25])[1]])
    fitted, twin = fit_weights(labels, noisy), fit_weights(labels, np.column_stack([scores, scores]))
    assert twin == pytest.approx([0.5, 0.5])
    assert fitted[1] < 0.5


def test_a_few_dozen_rows_silence_no_useful_model() -> None:
    assert min(fit_weights(*simulated(40, 2, seed)).min() for seed in range(20)) > 0


@pytest.mark.parametrize("labels", [[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 1]])
def test_scores_that_say_nothing_get_equal_weights(labels: list[int]) -> None:
    assert fit_weights(np.array(labels, dtype=np.int8), np.full((4, 2), 0.7)) == pytest.approx([0.5, 0.5])


def test_a_model_that_ranks_the_wrong_way_round_gets_no_weight() -> None:
    labels, scores = simulated(1000, 2, seed=5)
    assert fit_weights(labels, np.column_stack([scores[:, 0], 1 - scores[:, 1]])).tolist() == [1.0, 0.0]
