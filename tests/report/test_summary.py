import json
import math

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import f1_difference
from shopglot.report.measure import Measures
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, check_slices, summarise
from tests import shop
from tests.report.made_up import both_tasks, judged

QUICK = ReportSettings(bootstrap=100)
THRESHOLDS: dict[Task, float] = {"QC": 0.41, "QI": 0.52}


def report_of(*evidence: Judged, learners: dict[str, Judged] | None = None, settings: ReportSettings = QUICK) -> Report:
    return summarise("tiny", evidence, learners or {}, settings, seed=1, thresholds=THRESHOLDS)


def rows_of(found: Judged, task: str) -> Mask:
    return (found.pairs["task"] == task).to_numpy()


def test_files_of_their_own_stand_above_the_test_part_and_that_above_out_of_fold() -> None:
    dev, test, inside = both_tasks("dev"), both_tasks("test"), both_tasks("out-of-fold", folds=3)
    assert report_of(inside, test, dev).measured_on == "dev"
    assert report_of(inside, test).measured_on == "test"
    assert report_of(inside).measured_on == "out-of-fold"


def test_evidence_without_a_pair_is_left_out() -> None:
    dev = both_tasks("dev")
    empty = dev.where(np.zeros(len(dev.pairs), dtype=np.bool_))
    assert report_of(empty, both_tasks("test")).measured_on == "test"
    with pytest.raises(DataError, match="nothing to report"):
        report_of(empty)


def test_f1avg_is_the_mean_of_the_tasks() -> None:
    report = report_of(both_tasks("dev"))
    assert report.f1_avg == pytest.approx((report.tasks["QC"].f1 + report.tasks["QI"].f1) / 2)


def test_every_pair_of_a_task_is_in_one_slice_of_each_column_and_null_is_unknown() -> None:
    settings = ReportSettings(slices=("seen_type",), bootstrap=100)
    report = report_of(judged("dev", languages=["en", "fr", None]), settings=settings)
    slices = report.tasks["QC"].slices
    assert {name: set(values) for name, values in slices.items()} == {
        "language": {"en", "fr", "unknown"},
        "english": {"en", "other languages"},
        "seen_type": {"seen", "unseen"},
    }
    assert all(sum(each.count for each in values.values()) == 300 for values in slices.values())


def test_english_does_not_stand_apart_where_it_is_alone_or_absent() -> None:
    for languages in (["en"], ["fr", "ja"]):
        assert set(report_of(judged("dev", languages=languages)).tasks["QC"].slices) == {"language"}


def test_slices_go_from_large_to_small_and_then_by_name() -> None:
    report = report_of(judged("dev", languages=["pt", "ko", "ko", "ja", "ko", "pt", "ja", "ar"], queries=80))
    assert list(report.tasks["QC"].slices["language"]) == ["ko", "ja", "pt", "ar"]


def test_slices_stand_apart_by_what_is_new_to_the_model_but_not_out_of_fold() -> None:
    dev, inside = judged("dev"), judged("out-of-fold", folds=3)
    learned = dev.pairs.filter(pl.col("query").is_in(["query 1", "query 2", "query 3"]) & (pl.col("language") != "ja"))
    report = summarise("tiny", [dev, inside], {}, QUICK, seed=1, thresholds=THRESHOLDS, learned=learned)
    assert "seen_in_training" not in report.evidence["out-of-fold"]["QC"].slices
    found = report.tasks["QC"].slices["seen_in_training"]
    assert {name: each.count for name, each in found.items()} == {
        "seen query, seen category, seen language": 10,
        "new query, seen category, seen language": 190,
        "new query, seen category, new language": 100,
    }


def test_small_slices_are_told_and_kept() -> None:
    report = report_of(judged("dev", languages=["en", *["fr"] * 59]))
    slices = report.tasks["QC"].slices["language"]
    assert {name: (each.count, each.groups, each.small) for name, each in slices.items()} == {
        "fr": (295, 59, False),
        "en": (5, 1, True),
    }


@pytest.mark.parametrize(("wrong", "said"), [(np.nan, "nan"), (1.5, "1.5"), (-0.1, "-0.1")])
def test_a_score_that_is_no_probability_is_one_clear_sentence(wrong: float, said: str) -> None:
    found = judged("dev")
    probability = found.probability.copy()
    probability[[3, 5]] = wrong
    broken = Judged("dev", found.pairs, probability, found.decision)
    message = rf"'dev' has no probability from 0 to 1 for 2 of 300 pairs; the first is 'QC-3' with {said}; score"
    for evidence, learners in (([broken], {}), ([found], {"lexical": broken})):
        with pytest.raises(DataError, match=message):
            summarise("tiny", evidence, learners, QUICK, seed=1, thresholds=THRESHOLDS)


@pytest.mark.parametrize(("label", "kind"), [(1, "relevant"), (0, "irrelevant")])
def test_a_task_of_one_class_has_a_report_and_a_warning(
    label: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = judged("dev")
    pairs = Pairs(found.pairs.frame.with_columns(label=pl.lit(label, dtype=pl.Int8)))
    task = report_of(Judged("dev", pairs, found.probability, found.decision)).tasks["QC"]
    assert (task.pr_auc, task.pr_auc_interval, task.mcc, task.mcc_interval) == (None, None, None, None)
    assert task.brier > 0
    assert f"all 300 pairs of QC on 'dev' are {kind}" in caplog.text


def test_a_slice_by_a_column_that_no_file_has_is_refused_with_the_columns_there_are() -> None:
    settings, without = ReportSettings(slices=("seen_tpye",)), shop.pairs(4)
    with pytest.raises(DataError, match="no file has the column 'seen_tpye' to slice by; there are brand, seen_type"):
        check_slices(settings, without, judged("dev").pairs)
    check_slices(ReportSettings(slices=("seen_type",)), without, judged("dev").pairs)


def test_a_slice_that_only_some_evidence_has_is_left_out_of_the_others() -> None:
    found = judged("dev")
    other = Judged("test", Pairs(found.pairs.frame.drop("own:seen_type")), found.probability, found.decision)
    report = report_of(found, other, settings=ReportSettings(slices=("seen_type",), bootstrap=100))
    assert set(report.evidence["dev"]["QC"].slices) - set(report.evidence["test"]["QC"].slices) == {"seen_type"}


def test_only_out_of_fold_has_a_spread_over_folds_and_it_is_that_of_the_folds() -> None:
    inside = judged("out-of-fold", folds=3)
    report = report_of(inside, judged("dev"))
    assert report.tasks["QC"].folds is None
    spread = (report.evidence["out-of-fold"]["QC"].folds or {})["f1"]
    assert inside.fold is not None
    values = [Measures.of(inside, (inside.fold == fold).to_numpy()).f1 for fold in ("0", "1", "2")]
    assert spread is not None
    assert (spread.mean, spread.deviation) == pytest.approx((np.mean(values), np.std(values, ddof=1)))


def test_the_gap_is_out_of_fold_minus_test() -> None:
    report = report_of(both_tasks("out-of-fold", skill=2.5, folds=3), both_tasks("test", skill=0.8))
    assert report.gap["QI"] == report.evidence["out-of-fold"]["QI"].f1 - report.evidence["test"]["QI"].f1 > 0
    assert report_of(both_tasks("dev")).gap == {}


def test_the_difference_to_a_learner_is_the_paired_one_by_task_and_language() -> None:
    shipped, alone = both_tasks("dev", skill=2.0), both_tasks("dev", skill=1.0)
    report = report_of(shipped, learners={"lexical": alone})
    found = report.differences["lexical"]["QI"]
    assert list(found) == ["all", "en", "fr", "ja"]
    rows = rows_of(shipped, "QI") & (shipped.pairs["language"] == "fr").to_numpy()
    assert found["fr"].interval == f1_difference(shipped, alone, rows, repetitions=100, seed=1)
    assert found["fr"].f1 == Measures.of(shipped, rows).f1 - Measures.of(alone, rows).f1
    assert found["all"].count == 300


def test_a_learner_of_one_task_is_compared_on_that_task_alone() -> None:
    shipped, alone = both_tasks("dev", skill=2.0), both_tasks("dev", skill=1.0)
    report = report_of(shipped, learners={"lexical": alone.where(rows_of(alone, "QI"))})
    assert set(report.learners["lexical"]) == set(report.differences["lexical"]) == {"QI"}


def test_report_json_has_the_tree_that_readers_rely_on() -> None:
    tree = report_of(both_tasks("out-of-fold", folds=3), both_tasks("dev")).with_facts(seed=3).to_json()
    keys = ["name", "measured_on", "f1_avg", "tasks", "evidence", "learners", "differences", "gap"]
    assert list(tree) == [*keys, "mistakes", "decisions", "translation", "facts"]
    task = tree["tasks"]["QC"]
    assert task["threshold"] == THRESHOLDS["QC"]
    assert {"f1", "precision", "recall", "pr_auc", "roc_auc", "mcc", "balanced_accuracy", "brier"} < set(task)
    assert {"all_positive_f1", "f1_interval", "slices"} < set(task)
    assert {"pr_auc_interval", "mcc_interval", "calibration_error", "weighted", "groups", "small"} < set(task)
    assert task["f1"] == tree["evidence"]["dev"]["QC"]["f1"]
    assert set(task["slices"]["language"]) == {"en", "fr", "ja"}


def test_facts_are_added_as_json() -> None:
    report = report_of(judged("dev")).with_facts(data={"sizes": (1, 2)}).with_facts(rate=math.nan)
    assert report.facts == {"data": {"sizes": [1, 2]}, "rate": None}
    assert Report.from_json(json.loads(json.dumps(report.to_json(), allow_nan=False))) == report


def test_the_parts_of_a_report_are_frozen() -> None:
    report = report_of(judged("dev"), learners={"lexical": judged("dev", skill=1.0)})
    for part in (report, report.tasks["QC"], report.differences["lexical"]["QC"]["all"]):
        with pytest.raises(ValidationError, match="frozen"):
            part.f1 = 1.0  # type: ignore[misc, union-attr]
