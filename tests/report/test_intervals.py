import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as oracle

from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import Interval, f1_difference, f1_interval, query_groups
from shopglot.report.intervals import BLOCKS, SCORE_BINS, Counts, Intervals, slice_intervals
from shopglot.report.slices import Rows
from tests.report.made_up import judged


def every_row(found: Judged) -> NDArray[np.bool_]:
    return np.ones(len(found.pairs), dtype=np.bool_)


def intervals(found: Judged, rows: Rows | None = None, *, repetitions: int, seed: int) -> Intervals:
    kept = np.arange(len(found.pairs)) if rows is None else rows
    groups = query_groups(found.pairs)
    (only,) = slice_intervals(found, groups, [kept], repetitions=repetitions, seed=seed)
    return only


def width(found: Judged) -> float:
    low, high = intervals(found, repetitions=500, seed=1).f1
    return high - low


def drawn_in_whole_queries(found: Judged) -> dict[str, Interval]:
    """The intervals as the textbook has them: queries with replacement, and scikit-learn on their rows."""
    query = found.pairs["query"].to_numpy()
    rows_of = [np.flatnonzero(query == name) for name in np.unique(query)]
    rng, drawn = np.random.default_rng(2), []
    for _ in range(400):
        rows = np.concatenate([rows_of[group] for group in rng.integers(0, len(rows_of), len(rows_of))])
        labels, decision = found.pairs.labels[rows], found.decision[rows]
        measures = (oracle.f1_score(labels, decision), oracle.average_precision_score(labels, found.probability[rows]))
        drawn.append((*measures, oracle.matthews_corrcoef(labels, decision)))
    return dict(zip(("f1", "pr_auc", "mcc"), np.quantile(drawn, [0.025, 0.975], axis=0).T, strict=True))


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
        low, high = intervals(sample, repetitions=300, seed=seed).f1
        held += low <= truth <= high
    assert 0.90 <= held / 200 <= 0.99


def test_the_intervals_are_those_of_drawing_whole_queries_with_replacement() -> None:
    found = judged(queries=80, per_query=4)
    expected, shown = drawn_in_whole_queries(found), intervals(found, repetitions=2000, seed=7)
    assert shown.f1 == pytest.approx(expected["f1"], abs=0.01)
    assert shown.pr_auc == pytest.approx(expected["pr_auc"], abs=0.01)
    assert shown.mcc == pytest.approx(expected["mcc"], abs=0.03)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_a_resampled_measure_is_scikit_learn_on_the_rows_of_each_group_as_often_as_it_was_drawn(
    seed: int, queries: int
) -> None:
    found, rng = judged(queries=queries, per_query=3, seed=seed), np.random.default_rng(seed)
    groups = query_groups(found.pairs)
    times = rng.poisson(1.0, (4, queries)).astype(np.float32)
    rows = np.sort(rng.choice(3 * queries, size=rng.integers(1, 3 * queries + 1), replace=False))
    for drawn, shown in zip(times, Counts.of(found, groups, rows).measured(times).T, strict=True):
        again = np.repeat(rows, drawn[groups[rows]].astype(int))
        labels, decision = found.pairs.labels[again], found.decision[again]
        area = oracle.average_precision_score(labels, found.probability[again]) if labels.any() else np.nan
        f1 = oracle.f1_score(labels, decision, zero_division=0.0) if len(again) else 0.0
        mcc = Confusion.of(labels, decision).mcc
        assert shown.tolist() == pytest.approx([f1, area, mcc], abs=1e-6, nan_ok=True)


def test_pooling_groups_in_blocks_changes_nothing_where_a_block_is_drawn_as_one() -> None:
    found = judged(queries=40)
    groups, rows = query_groups(found.pairs), np.arange(len(found.pairs))
    blocks = groups % 7
    times = np.random.default_rng(1).poisson(1.0, (20, 7)).astype(np.float32)
    of_groups = times[:, np.arange(40) % 7]
    pooled, single = Counts.of(found, blocks, rows).measured(times), Counts.of(found, groups, rows).measured(of_groups)
    assert np.allclose(pooled, single, atol=1e-6, equal_nan=True)


def test_blocks_give_as_wide_intervals_as_their_groups() -> None:
    found = judged(queries=3 * BLOCKS, per_query=2)
    groups, rows = query_groups(found.pairs), np.arange(6 * BLOCKS)
    times = np.random.default_rng(3).poisson(1.0, (400, 3 * BLOCKS)).astype(np.float32)
    of_groups = np.quantile(Counts.of(found, groups, rows).measured(times), [0.025, 0.975], axis=1)
    shown = intervals(found, repetitions=400, seed=5)
    for interval, (low, high) in zip((shown.f1, shown.pr_auc, shown.mcc), of_groups.T, strict=True):
        assert interval[1] - interval[0] == pytest.approx(high - low, rel=0.2)
        assert interval == pytest.approx((low, high), abs=0.3 * (high - low))


def test_most_intervals_hold_the_figure_they_stand_beside_though_scores_are_binned() -> None:
    held = []
    for seed in range(40):
        found = judged(queries=100, per_query=5, seed=seed)
        low, high = intervals(found, repetitions=100, seed=seed).pr_auc
        held.append(low <= oracle.average_precision_score(found.pairs.labels, found.probability) <= high)
    assert np.mean(held) > 0.95
    assert len(found.pairs) > SCORE_BINS


def test_saying_the_same_of_a_query_many_times_does_not_narrow_the_interval() -> None:
    found = judged(queries=50, per_query=2)
    assert width(repeated(found, 10)) == pytest.approx(width(found), rel=0.05)


def test_more_queries_narrow_the_interval() -> None:
    assert width(judged(queries=400)) < 0.6 * width(judged(queries=40))


def test_f1_alone_has_the_interval_that_it_has_beside_the_other_measures() -> None:
    found = judged(queries=200)
    rows = (found.pairs["language"] == "fr").to_numpy()
    alone = f1_interval(found, rows, repetitions=2000, seed=1)
    assert alone == pytest.approx(intervals(found, np.flatnonzero(rows), repetitions=2000, seed=2).f1, abs=0.01)


def test_pairing_makes_the_difference_of_near_twins_surer_than_their_intervals() -> None:
    first = judged(queries=200)
    decision = first.decision.copy()
    decision[:5] = ~decision[:5]
    second = Judged(first.name, first.pairs, first.probability, decision)
    low, high = f1_difference(first, second, every_row(first), repetitions=300, seed=1)
    assert high - low < 0.5 * width(first)


def test_the_seed_decides_the_interval() -> None:
    found = judged()
    first, again, other = (intervals(found, repetitions=150, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_the_order_of_the_rows_does_not_matter() -> None:
    found = judged()
    order = np.random.default_rng(0).permutation(len(found.pairs))
    shuffled = Judged(found.name, Pairs(found.pairs.frame[order]), found.probability[order], found.decision[order])
    kept = intervals(found, repetitions=150, seed=1)
    assert intervals(shuffled, repetitions=150, seed=1) == kept


def test_only_the_rows_of_a_slice_count() -> None:
    found = judged()
    rows = np.flatnonzero((found.pairs["language"] == "fr").to_numpy())
    labels = found.pairs.labels.copy()
    labels[np.setdiff1d(np.arange(len(labels)), rows)] = 0
    other = Judged("test", Pairs(found.pairs.frame.with_columns(label=labels)), found.probability, found.decision)
    kept = intervals(found, rows, repetitions=150, seed=1)
    assert intervals(other, rows, repetitions=150, seed=1) == kept != intervals(other, repetitions=150, seed=1)


def test_without_anything_relevant_or_predicted_f1_is_zero_for_sure() -> None:
    frame = pl.DataFrame({"task": "QC", "query": ["a", "b"], "target": "c", "label": [0, 0]})
    found = Judged("test", Pairs.from_frame(frame), np.zeros(2), np.zeros(2, dtype=np.bool_))
    assert intervals(found, repetitions=100, seed=1).f1 == (0.0, 0.0)
