"""What a run found out, as one tree that `report.json` holds and `report.html` shows."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, JsonValue, model_validator
from pydantic_core import to_jsonable_python

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import Groups, query_groups
from shopglot.report.decisions import TaskDecisions
from shopglot.report.measure import (
    ALL,
    Difference,
    Measures,
    SliceReport,
    Spread,
    difference,
    slice_reports,
    values_of,
    whole_report,
)
from shopglot.report.mistakes import Mistakes
from shopglot.report.settings import ReportSettings
from shopglot.report.slices import rows_of_values, slice_columns
from shopglot.report.translation import TranslationReport

OUT_OF_FOLD: Final = "out-of-fold"
PREFERRED: Final = ("dev", "test", OUT_OF_FOLD, "scored file")
"""The evidence that stands at the top: files of their own before a part of the training files."""
log = logging.getLogger(__name__)


class TaskReport(SliceReport):
    """One task in one kind of evidence: its slices by column and value, and figures over the folds where it has any."""

    slices: dict[str, dict[str, SliceReport]]
    folds: dict[str, Spread | None] | None = None


class Report(BaseModel):
    """The tree of `report.json`; `gap` is F1 out of fold minus F1 on the test part."""

    model_config = ConfigDict(frozen=True)

    name: str
    measured_on: str
    f1_avg: float
    thresholds: dict[Task, float]
    evidence: dict[str, dict[Task, TaskReport]]
    learners: dict[str, dict[Task, SliceReport]]
    differences: dict[str, dict[Task, dict[str, Difference]]]
    gap: dict[Task, float]
    mistakes: dict[Task, dict[str, dict[str, Mistakes]]] = {}
    decisions: dict[Task, TaskDecisions] = {}
    translation: TranslationReport | None = None
    facts: dict[str, JsonValue] = {}

    @model_validator(mode="after")
    def _every_task_has_a_threshold(self) -> Self:
        if self.thresholds.keys() != self.tasks.keys():
            raise ValueError("each task has a threshold")
        return self

    @property
    def tasks(self) -> dict[Task, TaskReport]:
        """The measures per task on the evidence that stands at the top."""
        return self.evidence[self.measured_on]

    def with_facts(self, **facts: Any) -> Self:
        """Return the report with facts of the data and the run beside its measures; tuples, paths, NaN become JSON."""
        added = to_jsonable_python(facts, inf_nan_mode="null")
        return self.model_copy(update={"facts": {**self.facts, **added}})

    def with_mistakes(self, mistakes: Mapping[Task, Mapping[str, Mapping[str, Mistakes]]]) -> Self:
        """Return the report with the worst mistakes per task, column and value."""
        return self.model_copy(update={"mistakes": mistakes})

    def with_decisions(self, decisions: Mapping[Task, TaskDecisions]) -> Self:
        """Return the report with how its probabilities become decisions."""
        return self.model_copy(update={"decisions": dict(decisions)})

    def with_translation(self, translation: TranslationReport | None) -> Self:
        """Return the report with what translations are worth."""
        return self.model_copy(update={"translation": translation})

    def to_json(self) -> dict[str, Any]:
        """Return the tree of `report.json`: the tasks of the top evidence with their thresholds come first."""
        tree = self.model_dump(mode="json", exclude={"thresholds"})
        tasks = tree["evidence"][self.measured_on]
        top = {task: {**tasks[task], "threshold": threshold} for task, threshold in self.thresholds.items()}
        return {"name": self.name, "measured_on": self.measured_on, "f1_avg": self.f1_avg, "tasks": top, **tree}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """Return the report that `to_json` turned into `tree`."""
        thresholds = {task: measures["threshold"] for task, measures in tree["tasks"].items()}
        return cls.model_validate({**tree, "thresholds": thresholds})


def summarise(  # noqa: PLR0913, as all but the first four are named
    name: str,
    judged: Sequence[Judged],
    learners: Mapping[str, Judged],
    settings: ReportSettings,
    *,
    seed: int,
    thresholds: Mapping[Task, float],
    learned: Pairs | None = None,
) -> Report:
    """Return the report of the shipped model in each kind of evidence in `judged`; one without pairs is left out.

    `learners` holds each learner alone, with its own calibration and threshold, on the pairs of the evidence at the
    top; the differences to them say what the blend adds. `thresholds` are those that ship. `learned` are the pairs
    that the shipped model learned from; with them the report says how it judges what is new to it, though not out of
    fold, where each fold's models learned from other pairs.
    """
    found = {each.name: each for each in judged if len(each.pairs)}
    measured_on = next((wanted for wanted in PREFERRED if wanted in found), None)
    if measured_on is None:
        raise DataError(f"nothing to report: none of {', '.join(PREFERRED)} has a labelled pair; label more pairs")
    for each in (*found.values(), *learners.values()):
        _check_scores(each)
    evidence = {name: _by_task(each, settings, seed, learned) for name, each in found.items()}
    top = found[measured_on]
    groups = {task: query_groups(top.pairs.of_task(task)) for task in top.pairs.tasks}
    differences = {name: _differences(top, each, groups, settings, seed) for name, each in learners.items()}
    tasks, inside, outside = (evidence.get(name, {}) for name in (measured_on, OUT_OF_FOLD, "test"))
    return Report(
        name=name,
        measured_on=measured_on,
        f1_avg=float(np.mean([task.f1 for task in tasks.values()])),
        thresholds={task: thresholds[task] for task in tasks},
        evidence=evidence,
        learners={
            name: {
                task: whole_report(_of_task(alone, task), groups[task], settings, seed) for task in alone.pairs.tasks
            }
            for name, alone in learners.items()
        },
        differences=differences,
        gap={task: inside[task].f1 - outside[task].f1 for task in inside if task in outside},
    )


def check_slices(settings: ReportSettings, *files: Pairs) -> None:
    """Raise DataError, before a run begins to learn, for a slice by a column that none of the files has."""
    present = {column: None for pairs in files for column in pairs.own_columns().columns}
    for name in settings.slices:
        if name not in present:
            raise DataError(f"no file has the column {name!r} to slice by; there are {', '.join(present) or 'none'}")


def _check_scores(judged: Judged) -> None:
    """Raise DataError for probabilities that are none, such as NaN where a model failed."""
    wrong = ~((judged.probability >= 0) & (judged.probability <= 1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{judged.name!r} has no probability from 0 to 1 for {wrong.sum()} of {len(wrong)} pairs; the first is "
            f"{judged.pairs['id'][row]!r} with {judged.probability[row]:g}; score them again"
        )


def _by_task(judged: Judged, settings: ReportSettings, seed: int, learned: Pairs | None) -> dict[Task, TaskReport]:
    groups, reports = query_groups(judged.pairs), {}
    for task in judged.pairs.tasks:
        rows = _rows(judged, task)
        reports[task] = _task_report(judged.where(rows), groups[rows], settings, seed, learned)
    return reports


def _task_report(
    judged: Judged, groups: Groups, settings: ReportSettings, seed: int, learned: Pairs | None
) -> TaskReport:
    columns = slice_columns(judged.pairs, settings.slices, learned if judged.fold is None else None)
    rows = {(name, value): rows for name, column in columns.items() for value, rows in rows_of_values(column).items()}
    whole, *parts = slice_reports(judged, groups, [np.arange(len(groups)), *rows.values()], settings, seed)
    if whole.mcc is None:
        kind = "relevant" if whole.positive_rate else "irrelevant"
        log.warning(
            "all %d pairs of %s on %r are %s: MCC, balanced accuracy, PR-AUC and ROC-AUC are not defined",
            whole.count, judged.pairs.tasks[0], judged.name, kind,
        )  # fmt: skip
    slices: dict[str, dict[str, SliceReport]] = {name: {} for name in columns}
    for (name, value), part in zip(rows, parts, strict=True):
        slices[name][value] = part
    folds = None if judged.fold is None else _over_folds(judged, judged.fold)
    return TaskReport(**whole.model_dump(), slices=slices, folds=folds)


def _over_folds(judged: Judged, fold: pl.Series) -> dict[str, Spread | None]:
    measured = [Measures.of(judged, rows) for rows in values_of(fold).values()]
    return {
        "f1": Spread.of([each.f1 for each in measured]),
        "pr_auc": Spread.of([each.pr_auc for each in measured]),
        "mcc": Spread.of([each.mcc for each in measured]),
    }


def _differences(
    shipped: Judged, alone: Judged, groups: Mapping[Task, Groups], settings: ReportSettings, seed: int
) -> dict[Task, dict[str, Difference]]:
    """Return the differences per task: over all its pairs first, then per language."""
    differences: dict[Task, dict[str, Difference]] = {}
    for task in alone.pairs.tasks:
        ours, theirs = _of_task(shipped, task), _of_task(alone, task)
        slices = {ALL: np.ones(len(ours.pairs), dtype=np.bool_), **values_of(ours.pairs["language"])}
        differences[task] = {
            name: difference(ours, theirs, rows, settings, seed, groups=groups[task]) for name, rows in slices.items()
        }
    return differences


def _of_task(judged: Judged, task: Task) -> Judged:
    return judged.where(_rows(judged, task))


def _rows(judged: Judged, task: Task) -> Mask:
    return (judged.pairs["task"] == task).to_numpy()
