import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from shopglot.core.metrics import (
    CALIBRATION_BINS,
    Confusion,
    average_precision,
    best_f1_threshold,
    brier,
    calibration_error,
    equal_mass_bins,
    roc_auc,
)

labelled_scores = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda twentieth: twentieth / 20)), min_size=2, max_size=60
).map(lambda rows: (np.array([row[0] for row in rows], dtype=np.int8), np.array([row[1] for row in rows])))


@given(labelled_scores)
def test_ranking_measures_equal_scikit_learn_with_ties(rows: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = rows
    if labels.any():
        assert average_precision(labels, scores) == pytest.approx(oracle.average_precision_score(labels, scores))
    else:
        assert np.isnan(average_precision(labels, scores))
    if 0 < labels.sum() < len(labels):
        assert roc_auc(labels, scores) == pytest.approx(oracle.roc_auc_score(labels, scores))
    else:
        assert np.isnan(roc_auc(labels, scores))
    assert brier(labels, scores) == pytest.approx(np.mean((labels - scores) ** 2))


@given(labelled_scores)
def test_decision_measures_equal_scikit_learn(rows: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = rows
    decisions = scores >= 0.5
    table = Confusion.of(labels, decisions)
    assert table.f1 == pytest.approx(oracle.f1_score(labels, decisions, zero_division=0))
    assert table.precision == pytest.approx(oracle.precision_score(labels, decisions, zero_division=0))
    assert table.recall == pytest.approx(oracle.recall_score(labels, decisions, zero_division=0))
    assert table.all_positive_f1 == pytest.approx(oracle.f1_score(labels, np.ones_like(labels), zero_division=0))
    if 0 < labels.sum() < len(labels):
        assert table.balanced_accuracy == pytest.approx(oracle.balanced_accuracy_score(labels, decisions))
        assert table.mcc == pytest.approx(oracle.matthews_corrcoef(labels, decisions))


@given(labelled_scores)
def test_no_threshold_has_a_higher_f1_than_the_best_one(rows: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = rows
    best = Confusion.of(labels, scores >= best_f1_threshold(labels, scores)).f1
    assert all(Confusion.of(labels, scores >= threshold).f1 <= best + 1e-12 for threshold in np.unique(scores))


def test_weights_count_a_row_as_often_as_they_say() -> None:
    labels, decisions = np.array([1, 1, 0], dtype=np.int8), np.array([True, False, True])
    weighted = Confusion.of(labels, decisions, np.array([2.0, 1.0, 3.0]))
    repeated = Confusion.of(np.repeat(labels, [2, 1, 3]), np.repeat(decisions, [2, 1, 3]))
    assert weighted == repeated


@given(labelled_scores, st.integers(0, 2**32 - 1))
def test_a_weighted_measure_is_that_of_rows_which_occur_so_often(
    rows: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    labels, scores = rows
    times = np.random.default_rng(seed).integers(1, 4, len(labels))
    again, weights = (np.repeat(labels, times), np.repeat(scores, times)), times.astype(np.float64)
    assert average_precision(*rows, weights) == pytest.approx(average_precision(*again), nan_ok=True)
    assert brier(*rows, weights) == pytest.approx(brier(*again))
    bins = equal_mass_bins(scores, CALIBRATION_BINS)  # those of the rows as they are
    apart = [(labels[bins == each], scores[bins == each], weights[bins == each]) for each in np.unique(bins)]
    gaps = [abs(np.average(own - said, weights=weight)) * weight.sum() for own, said, weight in apart]
    assert calibration_error(*rows, weights) == pytest.approx(sum(gaps) / weights.sum())


@given(labelled_scores, st.integers(1, 30))
def test_bins_rise_with_the_scores_and_hold_about_as_many_each(rows: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    scores = rows[1]
    found = equal_mass_bins(scores, bins)
    order = np.argsort(scores)
    assert (np.diff(found[order]) >= 0).all()
    assert ((np.diff(scores[order]) > 0) | (np.diff(found[order]) == 0)).all()
    assert 0 <= found.min() <= found.max() < bins
    distinct = np.random.default_rng(bins).permutation(len(scores)).astype(np.float64)
    sizes = np.bincount(equal_mass_bins(distinct, bins), minlength=bins)
    assert sizes.max() - sizes.min() <= 1


def test_probabilities_that_say_the_share_of_relevant_pairs_have_no_calibration_error() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 0], dtype=np.int8)
    assert calibration_error(labels, np.repeat([0.25, 0.75], 4)) == 0.0
    assert calibration_error(labels, np.repeat([0.75, 0.25], 4)) == pytest.approx(0.5)
