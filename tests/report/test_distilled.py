from dataclasses import replace

import numpy as np
import pytest

from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.merge.intervals import query_groups
from shopglot.report.distilled import beside, console_distilled, shared
from shopglot.report.intervals import paired_intervals, slice_intervals
from shopglot.report.kept import Side
from shopglot.report.settings import ReportSettings
from tests.report.made_up import both_tasks, judged

SETTINGS = ReportSettings(bootstrap=200)
TEACHER = judged("dev", skill=2.5)
STUDENT = judged("dev", skill=1.2)


def sides(student: Judged, teacher: Judged) -> tuple[Side, Side]:
    return Side("student", {student.name: student}), Side("teacher", {teacher.name: teacher})


def test_a_student_that_says_what_its_teacher_says_keeps_everything() -> None:
    found = beside(*sides(TEACHER, TEACHER), {}, SETTINGS, seed=0).evidence["dev"]["QC"]["all"]
    assert (found.flips, found.mcc_kept, found.mcc_kept_interval) == (0.0, 1.0, (1.0, 1.0))
    assert all(change is not None and change.value == 0 for change in (found.f1, found.mcc, found.pr_auc))


def test_figures_are_those_of_either_side_and_their_difference() -> None:
    found = beside(*sides(STUDENT, TEACHER), {"label": 3}, SETTINGS, seed=0)
    assert found.lessons == {"label": 3}
    whole = found.evidence["dev"]["QC"]["all"]
    mcc, of = (Confusion.of(each.pairs.labels, each.decision).mcc for each in (STUDENT, TEACHER))
    assert whole.mcc is not None
    assert whole.mcc.value == pytest.approx(mcc - of)
    assert whole.mcc_kept == pytest.approx(mcc / of)
    assert whole.flips == pytest.approx(np.mean(STUDENT.decision != TEACHER.decision))
    assert whole.mcc_kept_interval is not None
    low, high = whole.mcc_kept_interval
    assert low < mcc / of < high < 1


def test_english_stands_apart_from_the_other_languages() -> None:
    slices = beside(*sides(STUDENT, TEACHER), {}, SETTINGS, seed=0).evidence["dev"]["QC"]
    assert {name: each.student.count for name, each in slices.items()} == {
        "all": 300,
        "other languages": 200,
        "english": 100,
    }
    english = judged("dev", languages=("en",))
    assert list(beside(*sides(english, english), {}, SETTINGS, seed=0).evidence["dev"]["QC"]) == ["all"]


def test_nothing_is_kept_of_a_teacher_that_decides_everything_alike() -> None:
    dull = replace(TEACHER, decision=np.ones(len(TEACHER.pairs), dtype=np.bool_))
    found = beside(*sides(STUDENT, dull), {}, SETTINGS, seed=0)
    assert found.evidence["dev"]["QC"]["all"].mcc_kept is None
    assert console_distilled(found).row_count == 3


def test_a_teacher_of_two_tasks_is_held_to_the_task_of_its_student() -> None:
    ours, theirs = shared(*sides(STUDENT, both_tasks("dev", skill=2.5)))
    assert list(beside(ours, theirs, {}, SETTINGS, seed=0).evidence["dev"]) == ["QC"]


def test_evidence_of_one_side_or_of_one_class_says_nothing() -> None:
    relevant = STUDENT.where(STUDENT.pairs.labels == 1)
    for student, teacher in ((relevant, relevant), (STUDENT, replace(TEACHER, name="test"))):
        ours, theirs = shared(*sides(student, teacher))
        assert beside(ours, theirs, {}, SETTINGS, seed=0).evidence == {}


def test_models_that_err_together_differ_less_surely_apart_than_together() -> None:
    rows, groups = [np.arange(len(STUDENT.pairs))], query_groups(STUDENT.pairs)
    flipped = STUDENT.decision.copy()
    flipped[:3] = ~flipped[:3]
    near = replace(STUDENT, decision=flipped)
    (paired,) = paired_intervals(near, STUDENT, groups, rows, repetitions=500, seed=1)
    (alone,) = slice_intervals(near, groups, rows, repetitions=500, seed=1)
    assert paired.mcc[1] - paired.mcc[0] < 0.5 * (alone.mcc[1] - alone.mcc[0])
