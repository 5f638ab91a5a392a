from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Labels
from shopglot.core.scores import Scores
from shopglot.learn.head import Features, Head, fit_logistic, fit_networks, weighted_classes


def drawn(rows: int = 400) -> tuple[Features, Labels]:
    rng = np.random.default_rng(2)
    features = rng.normal(3.0, [1.0, 10.0, 0.1, 1.0], (rows, 4)).astype(np.float32)
    features[:, 3] = 7.0
    labels = (features[:, 0] - features[:, 1] / 10 + rng.normal(0, 0.5, rows) > 2.7).astype(np.int8)
    return features, labels


FEATURES, LABELS = drawn()


def standardised(features: Features) -> Features:
    deviation = FEATURES.std(axis=0)
    return np.asarray((features - FEATURES.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0), dtype=np.float32)


some_weights = pytest.mark.parametrize(
    "weights", [None, np.resize([0.0, 0.5, 3.0], len(LABELS))], ids=["even", "uneven"]
)


@some_weights
def test_a_logistic_head_answers_as_scikit_learn_does(weights: Scores | None) -> None:
    from sklearn.linear_model import LogisticRegression

    oracle = LogisticRegression(max_iter=1000).fit(standardised(FEATURES), LABELS, weights)
    expected = oracle.predict_proba(standardised(FEATURES))[:, 1]
    assert fit_logistic(FEATURES, LABELS, weights)(FEATURES) == pytest.approx(expected, abs=1e-5)


@some_weights
def test_networks_answer_as_the_mean_of_scikit_learns_do(weights: Scores | None) -> None:
    from sklearn.neural_network import MLPClassifier

    inputs = standardised(FEATURES)
    oracles = [
        MLPClassifier((8, 4), alpha=1e-3, batch_size=256, early_stopping=True, random_state=5 + n).fit(
            inputs, LABELS, weights
        )
        for n in range(2)
    ]
    expected = np.mean([oracle.predict_proba(inputs)[:, 1] for oracle in oracles], axis=0)
    head = fit_networks(FEATURES, LABELS, weights, hidden=(8, 4), networks=2, seed=5)
    assert head(FEATURES) == pytest.approx(expected, abs=1e-5)


def test_a_head_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    head = fit_networks(FEATURES, LABELS, hidden=(5, 3, 2), networks=11, seed=0)
    head.save(tmp_path / "head.safetensors")
    assert Head.load(tmp_path / "head.safetensors")(FEATURES).tolist() == head(FEATURES).tolist()


def test_a_column_that_is_always_the_same_is_no_evidence_and_no_error() -> None:
    constant = np.full((len(LABELS), 2), 4.0, dtype=np.float32)
    assert fit_logistic(constant, LABELS)(constant) == pytest.approx(np.full(len(LABELS), LABELS.mean()), abs=1e-4)


def test_no_feature_is_so_far_out_that_a_score_leaves_its_range() -> None:
    far = np.array([[1e30] * 4, [-1e30] * 4], dtype=np.float32)
    scores = fit_logistic(FEATURES, LABELS)(far)
    assert np.all((scores >= 0) & (scores <= 1))


@pytest.mark.parametrize("rows", [30, 284, 285, 300])
def test_few_rows_are_learned_from_without_a_warning(rows: int) -> None:
    features, labels = drawn(rows)
    labels[:12], labels[12:24] = 1, 0
    assert fit_networks(features, labels, hidden=(4,), networks=1, seed=0)(features).shape == (rows,)


def test_a_class_with_too_few_rows_is_refused_with_both_counts() -> None:
    with pytest.raises(DataError, match="400 relevant and 0 irrelevant pairs"):
        fit_logistic(FEATURES, np.ones_like(LABELS))
    with pytest.raises(DataError, match="9 relevant and 391 irrelevant pairs"):
        fit_networks(FEATURES, (np.arange(400) < 9).astype(np.int8), hidden=(4,), networks=1, seed=0)


def test_the_mean_of_heads_is_one_head_with_their_mean_answer() -> None:
    heads = [
        fit_networks(FEATURES[rows], LABELS[rows], hidden=(5,), networks=2, seed=n)
        for n, rows in enumerate((slice(250), slice(150, 400)))
    ]
    expected = np.mean([head(FEATURES) for head in heads], axis=0)
    assert Head.mean_of(heads)(FEATURES) == pytest.approx(expected, abs=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_weighted_classes_have_the_cross_entropy_of_the_probabilities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.choice([0.0, 0.2, 0.7, 1.0], 30)
    weights, said = rng.uniform(0.1, 2, 30), rng.uniform(0.05, 0.95, 30)
    features, labels, shares = weighted_classes(said[:, None].astype(np.float32), wanted, weights)
    of_class = np.where(labels == 1, features[:, 0], 1 - features[:, 0])
    entropy = weights * (wanted * np.log(said) + (1 - wanted) * np.log(1 - said))
    assert (shares * np.log(of_class)).sum() == pytest.approx(entropy.sum(), rel=1e-4)


def test_certain_rows_stay_as_they_are() -> None:
    weights = np.resize([1.0, 2.0], len(LABELS))
    features, labels, shares = weighted_classes(FEATURES, LABELS.astype(np.float64), weights)
    assert np.array_equal(features, FEATURES)
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(shares, weights)


def test_a_head_learns_the_probabilities_it_is_taught() -> None:
    wanted = sigmoid(FEATURES[:, 0].astype(np.float64) - FEATURES[:, 1] / 10 - 2.7)
    taught = fit_logistic(*weighted_classes(FEATURES, wanted, np.ones(len(wanted))))
    told = fit_logistic(FEATURES, LABELS)
    assert np.abs(taught(FEATURES) - wanted).max() < 0.01
    assert np.abs(told(FEATURES) - wanted).mean() > 0.1
