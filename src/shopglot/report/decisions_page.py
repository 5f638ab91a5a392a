"""The decisions as the page shows them: pictures, each with its table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shopglot.core.pair import Task
from shopglot.merge.decide import Choice
from shopglot.report.charts import reliability_chart, threshold_chart
from shopglot.report.decisions import Reliability, TaskDecisions
from shopglot.report.figures import (
    DASH,
    change,
    count,
    decimal,
    percent,
    percent_interval,
    points,
    points_interval,
    task_name,
    verdict,
)
from shopglot.report.new_languages import NewLanguages
from shopglot.report.sections import SMALL, Row, Table

_CHOICES: Final[Mapping[Choice, str]] = {
    "0.5": "0.5 for all",
    "none": "one per task",
    "language": "per language",
    "category": "per language and category",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG with a panel per language, what its marks stand for, and its figures as a table."""

    caption: str
    marks: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class DecisionsView:
    """What the page shows of the decisions of one task; no pictures where all its pairs are of one class."""

    name: str
    choices: Table
    costs: Table | None
    slices: Table | None
    unlabelled: Table | None
    pictures: tuple[Picture, ...]


def decisions_view(task: Task, found: TaskDecisions, evidence: str) -> DecisionsView:
    """Return the tables and pictures of one task, whose reliability is that on `evidence`."""
    name = task_name(task)
    return DecisionsView(
        name=name,
        choices=_choices_table(name, found),
        costs=_costs_table(name, found) if found.choices["none"].cost else None,
        slices=_slices_table(name, found) if found.slices else None,
        unlabelled=_unlabelled_table(name, found.unlabelled) if found.unlabelled else None,
        pictures=_pictures(name, found.languages, evidence) if found.languages else (),
    )


def _pictures(name: str, languages: Mapping[str, Reliability], evidence: str) -> tuple[Picture, ...]:
    believed, curves = f"{name}: relevant pairs by probability", f"{name}: F1, precision and recall by threshold"
    return (
        Picture(
            believed,
            f"share of relevant pairs with its 95 % interval, on {evidence}; the dashed line is ideal calibration",
            reliability_chart({language: each.bins for language, each in languages.items()}),
            _bins_table(believed, languages),
        ),
        Picture(
            curves,
            f"F1 as a line, precision dashed, recall dotted, on {evidence}; upright, the threshold that ships",
            threshold_chart(languages),
            _curves_table(curves, languages),
        ),
    )


def _choices_table(name: str, found: TaskDecisions) -> Table:
    rows = [
        Row(
            _CHOICES[choice],
            (
                percent(each.f1),
                percent_interval(each.f1_interval),
                percent(each.all_positive_f1),
                decimal(each.mcc),
                percent(each.precision),
                percent(each.recall),
                points(each.gain.f1),
                points_interval(each.gain.interval),
                DASH if choice == "none" else verdict(each.gain),
                count(each.gain.count),
            ),
        )
        for choice, each in found.choices.items()
    ]
    measures = ("F1 %", "95 % interval", "all-positive F1 %", "MCC", "precision %", "recall %")
    columns = ("thresholds", *measures, "F1 points over one per task", "95 % interval", "verdict", "pairs")
    return Table(f"{name}: what each choice of thresholds is worth out of fold", columns, tuple(rows))


def _costs_table(name: str, found: TaskDecisions) -> Table:
    rows = [
        Row(_CHOICES[choice], (decimal(cost.value), decimal(cost.difference), " to ".join(map(decimal, cost.interval))))
        for choice, each in found.choices.items()
        if (cost := each.cost)
    ]
    columns = ("thresholds", "cost per relevant pair", "above one per task", "95 % interval")
    return Table(f"{name}: what errors cost out of fold; lower is better", columns, tuple(rows))


def _slices_table(name: str, found: TaskDecisions) -> Table:
    rows = [
        Row(
            each.language if each.category is None else f"{each.language}, {each.category}",
            (decimal(each.threshold), count(each.relevant)),
        )
        for each in found.slices
    ]
    columns = ("language, category", "threshold", "relevant pairs it was chosen on")
    return Table(f"{name}: thresholds of slices that ship", columns, tuple(rows))


def _unlabelled_table(name: str, found: NewLanguages) -> Table:
    rows = [
        Row(
            language,
            (
                percent(each.f1),
                percent_interval(each.f1_interval),
                percent(each.all_positive_f1),
                change(each.left_out),
                change(each.task),
                count(each.left_out.count),
            ),
            ("few pairs",) if each.left_out.count < SMALL else (),
        )
        for language, each in found.languages.items()
    ]
    columns = (
        "language",
        "F1 % with its labels",
        "95 % interval",
        "all-positive F1 %",
        "F1 points without, threshold of languages left out",
        "F1 points without, threshold of the task",
        "pairs",
    )
    caption = (
        f"{name}: what a language loses out of fold without labels; the threshold that ships for such a language is"
    )
    return Table(f"{caption} {decimal(found.threshold)}", columns, tuple(rows))


def _bins_table(caption: str, languages: Mapping[str, Reliability]) -> Table:
    rows = [
        Row(
            name,
            (
                decimal(each.probability),
                percent(each.relevant),
                percent_interval(each.interval),
                count(each.count),
                decimal(whole.calibration_error),
            ),
            ("few pairs",) if whole.count < SMALL else (),
        )
        for name, whole in languages.items()
        for each in whole.bins
    ]
    columns = (
        "language",
        "mean probability",
        "relevant %",
        "95 % interval",
        "pairs",
        "calibration error of the language",
    )
    return Table(caption, columns, tuple(rows))


def _curves_table(caption: str, languages: Mapping[str, Reliability]) -> Table:
    rows = [
        Row(
            name,
            (decimal(at), percent(f1), DASH if precision is None else percent(precision), percent(recall)),
            ("few pairs",) if whole.count < SMALL else (),
        )
        for name, whole in languages.items()
        for at, f1, precision, recall in zip(
            whole.curve.threshold, whole.curve.f1, whole.curve.precision, whole.curve.recall, strict=True
        )
    ]
    return Table(caption, ("language", "threshold", "F1 %", "precision %", "recall %"), tuple(rows))
