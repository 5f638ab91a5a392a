import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shopglot.core.metrics import Confusion, Floats, Labels, best_f1_threshold
from shopglot.merge.settings import CostGoal, F1Goal, Goal, PrecisionGoal
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


WEIGHED = arrays.arrays(np.float64, 12, elements=st.floats(0.0, 1.0))
LABELLED = arrays.arrays(np.int8, 12, elements=st.integers(0, 1)).filter(lambda some: some.any())
COSTS = st.floats(0.01, 100.0)
GOALS = st.one_of(
    st.just(F1Goal()),
    st.builds(PrecisionGoal, goal=st.just("precision"), recall=st.floats(0.01, 1.0)),
    st.builds(CostGoal, goal=st.just("cost"), false_positive=COSTS, false_negative=COSTS),
)


@given(LABELLED, WEIGHED, GOALS)
def test_whatever_the_goal_the_threshold_is_a_probability_that_some_pair_reaches(
    labels: Labels, scores: Floats, goal: Goal
) -> None:
    assert 0.0 <= steady_threshold(labels, scores, goal=goal) <= scores.max() + 1e-12


@given(LABELLED, WEIGHED, COSTS, COSTS, st.floats(1.0, 100.0))
def test_dearer_misses_never_raise_the_threshold_nor_dearer_false_alarms_lower_it(
    labels: Labels, scores: Floats, false_positive: float, false_negative: float, more: float
) -> None:
    at, after_misses, after_alarms = (
        steady_threshold(labels, scores, goal=CostGoal(goal="cost", false_positive=alarm, false_negative=miss))
        for alarm, miss in (
            (false_positive, false_negative),
            (false_positive, false_negative * more),
            (false_positive * more, false_negative),
        )
    )
    assert after_misses <= at + 1e-9 <= after_alarms + 2e-9


@given(LABELLED, WEIGHED, st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_more_recall_never_raises_the_threshold_and_is_reached(
    labels: Labels, scores: Floats, some: float, other: float
) -> None:
    less, more = sorted((some, other))
    low, high = (
        steady_threshold(labels, scores, goal=PrecisionGoal(goal="precision", recall=recall)) for recall in (more, less)
    )
    assert low <= high
    assert Confusion.of(labels, scores >= low).recall >= more - 1e-9


def test_no_threshold_with_enough_recall_is_more_precise() -> None:
    labels, scores = simulated(500, 1, seed=2)
    chosen = steady_threshold(labels, scores[:, 0], goal=PrecisionGoal(goal="precision", recall=0.8))
    tables = [Confusion.of(labels, scores[:, 0] >= at) for at in scores[:, 0]]
    best = max(table.precision for table in tables if table.recall >= 0.8)
    assert Confusion.of(labels, scores[:, 0] >= chosen).precision == best


@pytest.mark.parametrize("miss", [0.05, 0.2, 1.0, 5.0, 20.0])
def test_on_many_rows_the_cost_is_nearly_the_lowest_there_is(miss: float) -> None:
    labels, scores = simulated(20_000, 1, seed=3)

    def cost(threshold: float) -> float:
        table = Confusion.of(labels, scores[:, 0] >= threshold)
        return (table.false_positive + miss * table.false_negative) / len(labels)

    chosen = steady_threshold(labels, scores[:, 0], goal=CostGoal(goal="cost", false_positive=1, false_negative=miss))
    assert cost(chosen) < min(cost(at) for at in np.linspace(0, 1, 200)) + 0.002 * max(miss, 1)
