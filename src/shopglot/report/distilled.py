"""A student beside its teacher on the same pairs: what it keeps, and how sure that is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import rich.box
import rich.table
from pydantic import BaseModel, ConfigDict
from rich.text import Text

from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import Interval, query_groups
from shopglot.report.align import aligned
from shopglot.report.figures import DASH, count, decimal, percent, percent_interval
from shopglot.report.intervals import paired_intervals
from shopglot.report.kept import Side
from shopglot.report.measure import ALL, Measures
from shopglot.report.settings import ReportSettings
from shopglot.report.slices import ENGLISH, OTHERS, Rows

READ: Final = ("dev", "test")
"""The evidence on which both are judged; out of fold the student, who learned from all folds, has nothing to say."""


class Change(BaseModel):
    """The student's figure minus the teacher's, with its paired 95 % interval over query groups."""

    model_config = ConfigDict(frozen=True)

    value: float
    interval: Interval


class Beside(BaseModel):
    """Teacher and student on some pairs.

    `flips` is the share of pairs that the student decides otherwise, and `mcc_kept` the share of the teacher's MCC
    that it keeps, with its interval; both are None where the teacher has none above 0.
    """

    model_config = ConfigDict(frozen=True)

    teacher: Measures
    student: Measures
    flips: float
    f1: Change
    pr_auc: Change | None
    mcc: Change | None
    mcc_kept: float | None
    mcc_kept_interval: Interval | None


class Distilled(BaseModel):
    """The tree of `distill.json`: by evidence, task and slice; `lessons` counts what the student learned from."""

    model_config = ConfigDict(frozen=True)

    name: str
    lessons: dict[str, int]
    evidence: dict[str, dict[Task, dict[str, Beside]]]

    def to_json(self) -> dict[str, Any]:
        """Return the tree of `distill.json`."""
        return self.model_dump(mode="json")


def beside(student: Side, teacher: Side, lessons: Mapping[str, int], settings: ReportSettings, seed: int) -> Distilled:
    """Return the student beside its teacher on each evidence, both as `shared` leaves them.

    Raises what `aligned` raises.
    """
    evidence = {}
    for on in student.evidence:
        _, (base, new) = aligned([teacher, student], on)
        evidence[on] = {task: _slices(new, base, task, settings, seed) for task in base.pairs.tasks}
    return Distilled(name=student.name, lessons=dict(lessons), evidence=evidence)


def shared(student: Side, teacher: Side) -> tuple[Side, Side]:
    """Return both, each with the evidence that both have, in the tasks of the student that can tell good from bad.

    Those are the tasks with relevant and with irrelevant pairs.
    """
    ours: dict[str, Judged] = {}
    theirs: dict[str, Judged] = {}
    for on in READ:
        if on not in student.evidence or on not in teacher.evidence:
            continue
        if tasks := _tasks_of_both_classes(student.evidence[on].pairs):
            ours[on], theirs[on] = (_in_tasks(each.evidence[on], tasks) for each in (student, teacher))
    return replace(student, evidence=ours), replace(teacher, evidence=theirs)


def _in_tasks(judged: Judged, tasks: list[Task]) -> Judged:
    return judged.where(judged.pairs["task"].is_in(tasks).to_numpy())


def _tasks_of_both_classes(pairs: Pairs) -> list[Task]:
    return [task for task in pairs.tasks if np.ptp(pairs.of_task(task).labels)]


def console_distilled(distilled: Distilled) -> rich.table.Table:
    """Return teacher and student side by side, for `rich.console.Console.print`."""
    title = Text(f"{distilled.name} beside its teacher, teacher→student")
    caption = "kept: share of the teacher's MCC, with its 95 % interval; flips: pairs decided otherwise"
    table = rich.table.Table(title=title, caption=caption, box=rich.box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for column in ("F1 %", "all-pos.", "MCC", "kept %", "flips %", "pairs"):
        table.add_column(column, justify="right", no_wrap=True)
    for on, tasks in distilled.evidence.items():
        for task, slices in tasks.items():
            table.add_section()
            for name, each in slices.items():
                table.add_row(Text(f"{on} {task}" if name == ALL else f"  {name}"), *_cells(each))
    return table


def _slices(new: Judged, base: Judged, task: Task, settings: ReportSettings, seed: int) -> dict[str, Beside]:
    own = (base.pairs["task"] == task).to_numpy()
    new, base = new.where(own), base.where(own)
    english = (base.pairs["language"] == "en").fill_null(value=False).to_numpy()
    rows: dict[str, Rows] = {ALL: np.arange(len(english))}
    if 0 < english.sum() < len(english):
        rows |= {OTHERS: np.flatnonzero(~english), ENGLISH: np.flatnonzero(english)}
    found = paired_intervals(
        new, base, query_groups(base.pairs), list(rows.values()), repetitions=settings.bootstrap, seed=seed
    )
    besides = {}
    for (name, inside), intervals in zip(rows.items(), found, strict=True):
        theirs, ours = Measures.of(base, inside), Measures.of(new, inside)
        mcc, of = ours.mcc, theirs.mcc
        besides[name] = Beside(
            teacher=theirs,
            student=ours,
            flips=float(np.mean(base.decision[inside] != new.decision[inside])),
            f1=Change(value=ours.f1 - theirs.f1, interval=intervals.f1),
            pr_auc=_change(ours.pr_auc, theirs.pr_auc, intervals.pr_auc),
            mcc=_change(mcc, of, intervals.mcc),
            mcc_kept=None if mcc is None or of is None or of <= 0 else mcc / of,
            mcc_kept_interval=None if mcc is None or of is None or of <= 0 else intervals.mcc_kept,
        )
    return besides


def _change(ours: float | None, theirs: float | None, interval: Interval) -> Change | None:
    return None if ours is None or theirs is None else Change(value=ours - theirs, interval=interval)


def _cells(each: Beside) -> tuple[str, ...]:
    kept = DASH
    if each.mcc_kept is not None and each.mcc_kept_interval is not None:
        kept = f"{percent(each.mcc_kept)} ({percent_interval(each.mcc_kept_interval)})"
    return (
        f"{percent(each.teacher.f1)}→{percent(each.student.f1)}",
        percent(each.teacher.all_positive_f1),
        f"{decimal(each.teacher.mcc)}→{decimal(each.student.mcc)}",
        kept,
        percent(each.flips),
        count(each.student.count),
    )
