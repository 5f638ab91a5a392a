from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, Floats, Labels
from shopglot.core.pairs import Pairs
from shopglot.merge.chain import CHOICES, UNLABELLED
from shopglot.merge.settings import CostGoal, F1Goal, Goal, MergeSettings
from shopglot.report.decisions import CrossFitted, TaskDecisions, decisions_report, equal_mass_bins, wilson_interval
from shopglot.report.decisions_page import decisions_view
from shopglot.report.settings import ReportSettings
from tests.report.made_up import CHOSEN, judged

COST = CostGoal(goal="cost", false_positive=1, false_negative=5)


def decisions_of(goal: Goal = COST, **made: Any) -> TaskDecisions:
    top = judged("dev", **made)
    choices = {choice: judged("out-of-fold", skill=1.5 + n / 2) for n, choice in enumerate(CHOICES)}
    unlabelled = {how: judged("out-of-fold", skill=1.0 + n / 10) for n, how in enumerate(UNLABELLED)}
    merge = MergeSettings(threshold=goal)
    inside = CrossFitted(choices, unlabelled)
    return decisions_report(top, inside, CHOSEN, merge, ReportSettings(bootstrap=100), seed=1)["QC"]


@given(
    arrays.arrays(np.float64, st.integers(1, 400), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])),
    st.integers(0, 1000),
)
def test_bins_hold_every_pair_once_and_keep_equal_probabilities_together(probability: Floats, seed: int) -> None:
    labels: Labels = np.random.default_rng(seed).integers(0, 2, len(probability)).astype(np.int8)
    bins = equal_mass_bins(labels, probability)
    assert sum(each.count for each in bins) == len(labels)
    assert sum(each.count * each.relevant for each in bins) == pytest.approx(labels.sum())
    assert sum(each.count * each.probability for each in bins) == pytest.approx(probability.sum())
    assert [each.probability for each in bins] == sorted({each.probability for each in bins})
    assert len(bins) <= len(np.unique(probability))


def test_bins_of_different_probabilities_have_equal_mass() -> None:
    labels = np.tile([0, 1], 500).astype(np.int8)
    assert [each.count for each in equal_mass_bins(labels, np.random.default_rng(0).random(1000))] == [100] * 10


def test_few_pairs_have_few_bins() -> None:
    labels = np.tile([0, 1], 30).astype(np.int8)
    assert [each.count for each in equal_mass_bins(labels, np.linspace(0, 1, 60))] == [30, 30]


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_interval_of_a_share_holds_it_and_stays_between_0_and_1(count: int, share: float) -> None:
    low, high = wilson_interval(share, count)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


def test_the_interval_of_a_share_covers_the_truth_about_19_times_in_20() -> None:
    hits = np.random.default_rng(0).binomial(40, 0.9, 2000) / 40
    covered = np.mean([low <= 0.9 <= high for low, high in (wilson_interval(share, 40) for share in hits.tolist())])
    assert 0.93 < covered < 0.98


def test_probabilities_that_are_right_have_next_to_no_calibration_error_and_others_do() -> None:
    found = decisions_of(queries=2000, skill=1.0).languages["all"]
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    labels: Labels = (rng.random(20_000) < probability).astype(np.int8)
    right, wrong = (
        sum(each.count * abs(each.relevant - each.probability) for each in equal_mass_bins(labels, shown)) / 20_000
        for shown in (probability, probability**3)
    )
    assert right < 0.02 < wrong
    assert found.calibration_error > 0.02


def test_the_curve_is_what_the_decisions_at_each_threshold_would_be() -> None:
    top = judged("dev")
    curve = decisions_of().languages["all"].curve
    for n, at in enumerate(curve.threshold):
        table = Confusion.of(top.pairs.labels, top.probability >= at)
        assert (curve.f1[n], curve.recall[n]) == pytest.approx((table.f1, table.recall))
        assert curve.precision[n] == pytest.approx(table.precision)


def test_each_language_shows_its_own_threshold_and_others_that_of_the_task() -> None:
    languages = decisions_of().languages
    assert {name: each.threshold for name, each in languages.items()} == {
        "all": 0.412,
        "en": 0.412,
        "fr": 0.433,
        "ja": 0.412,
    }


def test_a_choice_is_held_against_one_threshold_per_task() -> None:
    choices = decisions_of().choices
    assert list(choices) == list(CHOICES)
    assert choices["none"].gain.interval == (0.0, 0.0)
    for each in choices.values():
        assert each.gain.f1 == pytest.approx(each.f1 - choices["none"].f1)


def test_a_cost_stands_beside_f1_where_thresholds_are_chosen_for_one() -> None:
    own = judged("out-of-fold", skill=2.0)
    table = Confusion.of(own.pairs.labels, own.decision)
    cost = decisions_of().choices["none"].cost
    assert cost is not None
    assert cost.value == pytest.approx((table.false_positive + 5 * table.false_negative) / own.pairs.labels.sum())
    assert (cost.difference, cost.interval) == (0.0, (0.0, 0.0))
    better = decisions_of().choices["category"].cost
    assert better is not None
    low, high = better.interval
    assert low <= better.difference <= high < 0
    shown = decisions_view("QC", decisions_of(), "dev").costs
    assert shown is not None
    assert len(shown.rows) == len(CHOICES)
    assert decisions_view("QC", decisions_of(F1Goal()), "dev").costs is None


def test_pairs_of_one_class_have_no_picture() -> None:
    top = judged("dev")
    same = Judged(
        "dev", Pairs(top.pairs.frame.with_columns(label=pl.lit(1, dtype=pl.Int8))), top.probability, top.decision
    )
    inside = CrossFitted(
        dict.fromkeys(CHOICES, judged("out-of-fold")), dict.fromkeys(UNLABELLED, judged("out-of-fold"))
    )
    found = decisions_report(same, inside, CHOSEN, MergeSettings(), ReportSettings(bootstrap=100), seed=1)["QC"]
    assert found.languages == {}
    assert decisions_view("QC", found, "dev").pictures == ()


def test_a_language_shows_what_it_would_lose_without_labels_by_both_thresholds() -> None:
    found = decisions_of().unlabelled
    assert found is not None
    assert found.threshold == 0.299
    assert list(found.languages) == ["all", "en", "fr", "ja"]
    known, left_out, task = (judged("out-of-fold", skill=skill) for skill in (2.0, 1.0, 1.1))
    rows = (known.pairs["language"] == "fr").to_numpy()
    f1 = [Confusion.of(each.pairs.labels[rows], each.decision[rows]).f1 for each in (known, left_out, task)]
    french = found.languages["fr"]
    assert french.f1 == f1[0]
    assert (french.left_out.f1, french.task.f1) == pytest.approx((f1[1] - f1[0], f1[2] - f1[0]))
    assert french.left_out.count == 100


def test_one_language_alone_tells_nothing_of_others() -> None:
    top, alone = judged("dev"), judged("out-of-fold", languages=("en",))
    inside = CrossFitted(dict.fromkeys(CHOICES, alone), dict.fromkeys(UNLABELLED, alone))
    found = decisions_report(top, inside, CHOSEN, MergeSettings(), ReportSettings(bootstrap=100), seed=1)["QC"]
    assert found.unlabelled is None
    assert decisions_view("QC", found, "dev").unlabelled is None


def test_a_language_without_labels_shows_the_threshold_of_those_left_out() -> None:
    languages = decisions_of(languages=("en", "sw", None)).languages
    assert {name: each.threshold for name, each in languages.items()} == {
        "all": 0.412,
        "en": 0.412,
        "sw": 0.299,
        "unknown": 0.412,
    }
