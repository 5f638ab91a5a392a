import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shopglot.core.metrics import Confusion, Floats, Labels, best_f1_threshold
from shopglot.merge.threshold import steady_threshold
from tests.merge.doubles import simulated


def f1(labels: Labels, scores: Floats, threshold: float) -> float:
    return Confusion.of(labels, scores >= threshold).f1


@pytest.mark.parametrize(("rows", "share"), [(60, 0.75), (200, 0.75), (1000, 0.75), (4000, 0.75)])
def test_it_loses_less_f1_on_new_rows_than_the_highest_f1_at_hand(rows: int, share: float) -> None:
    labels, scores = simulated(20_000, 1, seed=0)
    reachable = f1(labels, scores[:, 0], best_f1_threshold(labels, scores[:, 0]))
    lost = np.zeros(2)
    for seed in range(1, 41):
        few, seen = simulated(rows, 1, seed)
        rules = (steady_threshold(few, seen[:, 0]), best_f1_threshold(few, seen[:, 0]))
        lost += [reachable - f1(labels, scores[:, 0], threshold) for threshold in rules]
    assert lost[0] < share * lost[1]


def test_on_many_rows_it_reaches_the_highest_f1() -> None:
    labels, scores = simulated(50_000, 1, seed=1)
    best = f1(labels, scores[:, 0], best_f1_threshold(labels, scores[:, 0]))
    assert f1(labels, scores[:, 0], steady_threshold(labels, scores[:, 0])) > best - 0.001


@given(
    arrays.arrays(np.int8, 9, elements=st.integers(0, 1)).filter(lambda some: some.any()),
    arrays.arrays(np.float64, 9, elements=st.floats(0.0, 1.0)),
    st.permutations(range(9)),
)
def test_the_order_of_the_rows_does_not_matter(labels: Labels, scores: Floats, order: list[int]) -> None:
    assert steady_threshold(labels[order], scores[order]) == pytest.approx(steady_threshold(labels, scores))


@given(
    arrays.arrays(np.int8, 9, elements=st.integers(0, 1)).filter(lambda some: some.any()),
    arrays.arrays(np.float64, 9, elements=st.floats(0.0, 1.0)),
)
def test_some_relevant_pair_is_always_found(labels: Labels, scores: Floats) -> None:
    threshold = steady_threshold(labels, scores)
    assert 0.0 <= threshold <= scores[labels == 1].max() + 1e-12


def test_pairs_with_the_same_probability_stay_together() -> None:
    labels = np.array([1, 0, 1, 0], dtype=np.int8)
    assert steady_threshold(labels, np.array([0.6, 0.6, 0.6, 0.2])) == pytest.approx(0.4)
