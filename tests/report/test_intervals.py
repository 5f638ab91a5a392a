import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.report.intervals import f1_difference, f1_interval
from tests.report.made_up import judged


def every_row(found: Judged) -> NDArray[np.bool_]:
    return np.ones(len(found.pairs), dtype=np.bool_)


def width(found: Judged) -> float:
    low, high = f1_interval(found, every_row(found), repetitions=500, seed=1)
    return high - low


def repeated(found: Judged, times: int) -> Judged:
    """Return every pair several times under the same query."""
    rows = np.repeat(np.arange(len(found.pairs)), times)
    frame = found.pairs.frame[rows].with_columns(id=pl.int_range(pl.len()).cast(pl.String))
    return Judged(found.name, Pairs.from_frame(frame), found.probability[rows], found.decision[rows])


def test_nineteen_of_twenty_intervals_hold_the_true_f1() -> None:
    # Labels and scores of a query move together, so an interval over rows would be far too narrow.
    rng = np.random.default_rng(5)

    def draw(queries: int) -> Judged:
        kind = np.repeat(rng.random(queries) < 0.5, 4)
        right = rng.random(4 * queries) < np.where(kind, 0.95, 0.6)
        labels = rng.random(4 * queries) < np.where(kind, 0.8, 0.4)
        decision = np.where(right, labels, ~labels)
        query = [f"q{number}" for number in np.repeat(np.arange(queries), 4)]
        frame = pl.DataFrame({"task": "QC", "query": query, "target": "a", "label": labels.astype(np.int8)})
        return Judged("test", Pairs.from_frame(frame), decision.astype(np.float64), decision)

    population = draw(50_000)
    truth = Confusion.of(population.pairs.labels, population.decision).f1
    held = 0
    for seed in range(200):
        sample = draw(150)
        low, high = f1_interval(sample, every_row(sample), repetitions=300, seed=seed)
        held += low <= truth <= high
    assert 0.90 <= held / 200 <= 0.99


def test_the_interval_is_that_of_drawing_whole_queries_with_replacement() -> None:
    found = judged(queries=80, per_query=4)
    query = found.pairs["query"].to_numpy()
    rows_of = [np.flatnonzero(query == name) for name in np.unique(query)]
    rng = np.random.default_rng(2)
    drawn = []
    for _ in range(2000):
        rows = np.concatenate([rows_of[group] for group in rng.integers(0, len(rows_of), len(rows_of))])
        drawn.append(Confusion.of(found.pairs.labels[rows], found.decision[rows]).f1)
    interval = f1_interval(found, every_row(found), repetitions=2000, seed=7)
    assert interval == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.004)


def test_saying_the_same_of_a_query_many_times_does_not_narrow_the_interval() -> None:
    found = judged(queries=50, per_query=2)
    assert width(repeated(found, 10)) == pytest.approx(width(found), rel=0.05)


def test_more_queries_narrow_the_interval() -> None:
    assert width(judged(queries=400)) < 0.6 * width(judged(queries=40))


def test_a_model_does_not_differ_from_itself() -> None:
    found = judged()
    assert f1_difference(found, found, every_row(found), repetitions=200, seed=1) == (0.0, 0.0)


def test_a_model_that_is_much_better_has_its_whole_interval_above_zero() -> None:
    strong, weak = judged(skill=3.0), judged(skill=0.2)
    low, high = f1_difference(strong, weak, every_row(strong), repetitions=300, seed=1)
    assert 0 < low < high
    back = f1_difference(weak, strong, every_row(strong), repetitions=300, seed=1)
    assert back == pytest.approx((-high, -low))


def test_pairing_makes_the_difference_of_near_twins_surer_than_their_intervals() -> None:
    first = judged(queries=200)
    decision = first.decision.copy()
    decision[:5] = ~decision[:5]
    second = Judged(first.name, first.pairs, first.probability, decision)
    low, high = f1_difference(first, second, every_row(first), repetitions=300, seed=1)
    assert high - low < 0.5 * width(first)


def test_the_seed_decides_the_interval() -> None:
    found = judged()
    first, again, other = (f1_interval(found, every_row(found), repetitions=150, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_the_order_of_the_rows_does_not_matter() -> None:
    found = judged()
    order = np.random.default_rng(0).permutation(len(found.pairs))
    shuffled = Judged(found.name, Pairs(found.pairs.frame[order]), found.probability[order], found.decision[order])
    kept = f1_interval(found, every_row(found), repetitions=150, seed=1)
    assert f1_interval(shuffled, every_row(found), repetitions=150, seed=1) == kept


def test_only_the_rows_of_the_mask_count() -> None:
    found = judged()
    rows = (found.pairs["language"] == "fr").to_numpy()
    alone = found.where(rows)
    expected = f1_interval(alone, every_row(alone), repetitions=150, seed=1)
    assert f1_interval(found, rows, repetitions=150, seed=1) == expected


def test_without_anything_relevant_or_predicted_f1_is_zero_for_sure() -> None:
    frame = pl.DataFrame({"task": "QC", "query": ["a", "b"], "target": "c", "label": [0, 0]})
    found = Judged("test", Pairs.from_frame(frame), np.zeros(2), np.zeros(2, dtype=np.bool_))
    assert f1_interval(found, every_row(found), repetitions=100, seed=1) == (0.0, 0.0)


def test_models_that_judged_different_pairs_are_not_compared() -> None:
    here, there = judged(), judged(task="QI")
    with pytest.raises(DataError, match="judge different pairs"):
        f1_difference(here, there, every_row(here), repetitions=100, seed=1)
