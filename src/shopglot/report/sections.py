"""The tables of the page as text, one function per table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shopglot.core.pair import Task
from shopglot.enrich.readings import READINGS, Reading
from shopglot.merge.intervals import Interval
from shopglot.report.figures import (
    DASH,
    change,
    count,
    decimal,
    percent,
    percent_interval,
    points,
    spaced,
    task_name,
)
from shopglot.report.measure import FEW_PAIRS, Difference, Quality, SliceReport, Spread
from shopglot.report.summary import OUT_OF_FOLD, Report
from shopglot.report.translation import SliceReadings, TranslationReport

SMALL: Final = FEW_PAIRS
"""Slices with fewer pairs are marked."""
_READ_AS: Final[Mapping[Reading, str]] = {
    "original": "original",
    "english": "English",
    "both": "both",
    "other": "another query's",
}


@dataclass(frozen=True, slots=True)
class Row:
    """The name of a row, its cells, and marks such as "few pairs" that stand beside the name."""

    name: str
    cells: tuple[str, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table as text; the first of `columns` heads the names of the rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


_MEASURES: Final[Mapping[str, Callable[[SliceReport], str]]] = {
    "F1 %": lambda found: percent(found.f1),
    "95 % interval": lambda found: percent_interval(found.f1_interval),
    "all-positive F1 %": lambda found: percent(found.all_positive_f1),
    "PR-AUC": lambda found: _with_interval(found.pr_auc, found.pr_auc_interval),
    "MCC": lambda found: _with_interval(found.mcc, found.mcc_interval),
    "balanced accuracy": lambda found: decimal(found.balanced_accuracy),
    "precision %": lambda found: percent(found.precision),
    "recall %": lambda found: percent(found.recall),
    "ROC-AUC": lambda found: decimal(found.roc_auc),
    "Brier": lambda found: decimal(found.brier),
    "calibration error": lambda found: decimal(found.calibration_error),
    "relevant %": lambda found: percent(found.positive_rate),
    "pairs": lambda found: count(found.count),
    "query groups": lambda found: count(found.groups),
}
_WEIGHTED: Final[Mapping[str, Callable[[Quality], str]]] = {
    "F1 %": lambda found: percent(found.f1),
    "precision %": lambda found: percent(found.precision),
    "recall %": lambda found: percent(found.recall),
    "PR-AUC": lambda found: decimal(found.pr_auc),
    "MCC": lambda found: decimal(found.mcc),
    "Brier": lambda found: decimal(found.brier),
    "calibration error": lambda found: decimal(found.calibration_error),
}


def evidence_table(report: Report) -> Table:
    """Return every task in every kind of evidence, the evidence at the top first."""
    names = sorted(report.evidence, key=lambda name: name != report.measured_on)
    found = {
        f"{task}, {name}": report.evidence[name][task]
        for task in report.tasks
        for name in names
        if task in report.evidence[name]
    }
    return _measures_table("Every task in every kind of evidence", "task and evidence", found)


def gap_table(report: Report) -> Table:
    """Return F1 out of fold beside F1 on the test part."""
    inside, outside = report.evidence[OUT_OF_FOLD], report.evidence["test"]
    rows = [
        Row(task_name(task), (percent(inside[task].f1), percent(outside[task].f1), points(gap)))
        for task, gap in report.gap.items()
    ]
    columns = ("task", "out-of-fold F1 %", "test F1 %", "gap, points")
    return Table("The gap between out-of-fold and test", columns, tuple(rows))


def slice_tables(report: Report, evidence: str) -> list[Table]:
    """Return one table per task and slice, and where pairs have weights a second one by weight."""
    tables = []
    for task, measures in report.evidence[evidence].items():
        for name, slices in measures.slices.items():
            head = spaced(name)
            caption = f"{task_name(task)} by {head}, on {evidence}"
            tables.append(_measures_table(caption, head, slices))
            if measures.weighted:
                tables.append(_weighted_table(f"{caption}, each pair by its weight", head, slices))
    return tables


def learners_table(task: Task, report: Report) -> Table:
    """Return what ships and each learner alone on the pairs of the evidence at the top."""
    alone = {name: tasks[task] for name, tasks in report.learners.items() if task in tasks}
    caption = f"{task_name(task)}: the blend and each learner alone, on {report.measured_on}"
    return _measures_table(caption, "model", {"the blend": report.tasks[task], **alone})


def differences_table(task: Task, differences: Mapping[str, Mapping[str, Difference]]) -> Table:
    """Return what the blend adds to F1 over each learner, over all pairs and by language."""
    first = next(iter(differences.values()))
    rows = [
        Row(name, (*(change(each[name]) for each in differences.values()), count(whole.count)), _few(whole.count))
        for name, whole in first.items()
    ]
    columns = ("language", *(f"over {name}" for name in differences), "pairs")
    return Table(f"{task_name(task)}: F1 points that the blend adds, with 95 % intervals", columns, tuple(rows))


def spread_table(report: Report) -> Table:
    """Return the mean and the deviation over the folds of the measures that each fold has of its own."""
    found = {task: each.folds for task, each in report.evidence[OUT_OF_FOLD].items() if each.folds}
    rows = [
        Row(
            task_name(task),
            (_spread(folds["f1"], percent), *(_spread(folds[key], decimal) for key in ("pr_auc", "mcc"))),
        )
        for task, folds in found.items()
    ]
    return Table("Mean ± deviation over the folds", ("task", "F1 %", "PR-AUC", "MCC"), tuple(rows))


def readings_table(caption: str, head: str, found: Mapping[str, SliceReadings]) -> Table:
    """Return F1 and PR-AUC of slices of the pairs in every reading."""
    rows = [
        Row(
            name,
            (
                *(f"{percent(own.f1)}, {decimal(own.pr_auc)}" for own in each.readings.values()),
                percent(each.all_positive_f1),
                decimal(each.agreement),
                count(each.translated),
                count(each.count),
            ),
            _few(each.count),
        )
        for name, each in found.items()
    ]
    columns = (f"{_READ_AS[reading]}: F1 %, PR-AUC" for reading in READINGS)
    return Table(caption, (head, *columns, "all-positive F1 %", "agreement", "translated pairs", "pairs"), tuple(rows))


def gains_table(caption: str, head: str, found: Mapping[str, SliceReadings]) -> Table:
    """Return what the reading with both texts has over each of the others."""
    others = [reading for reading in READINGS if reading != "both"]
    rows = [
        Row(name, tuple(change(each.readings[reading].gain) for reading in others), _few(each.count))
        for name, each in found.items()
    ]
    return Table(caption, (head, *(f"over {_READ_AS[reading]}" for reading in others)), tuple(rows))


def quality_table(translation: TranslationReport) -> Table:
    """Return what is known of the translations of each language without a reference."""
    rows = [
        Row(
            language,
            (
                decimal(each.agreement),
                percent(each.told_apart),
                decimal(each.round_trip),
                count(each.translations),
                count(each.pairs),
            ),
        )
        for language, each in translation.quality.items()
    ]
    columns = ("language", "agreement", "told apart %", "round trip", "translations", "pairs")
    return Table("The translations of each language", columns, tuple(rows))


def worst_table(translation: TranslationReport) -> Table:
    """Return the translations that agree least with their query, for their language."""
    rows = [
        Row(
            each.query,
            (each.english, each.language, decimal(each.agreement), decimal(each.round_trip), count(each.pairs)),
        )
        for each in translation.worst
    ]
    columns = ("query", "translation", "language", "agreement", "round trip", "pairs")
    return Table("The translations with the least agreement", columns, tuple(rows))


def _measures_table(caption: str, head: str, found: Mapping[str, SliceReport]) -> Table:
    rows = [
        Row(name, tuple(text(measures) for text in _MEASURES.values()), _small(measures) + _one_class(measures))
        for name, measures in found.items()
    ]
    return Table(caption, (head, *_MEASURES), tuple(rows))


def _weighted_table(caption: str, head: str, found: Mapping[str, SliceReport]) -> Table:
    """Return the figures by weight; where all pairs of a slice have weight 1 they are its plain figures."""
    rows = [
        Row(name, tuple(text(measures.weighted or measures) for text in _WEIGHTED.values()), _small(measures))
        for name, measures in found.items()
    ]
    return Table(caption, (head, *_WEIGHTED), tuple(rows))


def _small(measures: SliceReport) -> tuple[str, ...]:
    few = _few(measures.count)
    return few or (("few queries",) if measures.small else ())


def _few(pairs: int) -> tuple[str, ...]:
    return ("few pairs",) if pairs < SMALL else ()


def _one_class(measures: SliceReport) -> tuple[str, ...]:
    return {0.0: ("none relevant",), 1.0: ("all relevant",)}.get(measures.positive_rate, ())


def _with_interval(value: float | None, interval: Interval | None) -> str:
    return DASH if interval is None else f"{decimal(value)} ({'–'.join(map(decimal, interval))})"


def _spread(spread: Spread | None, text: Callable[[float], str]) -> str:
    return DASH if spread is None else f"{text(spread.mean)} ± {text(spread.deviation)}"
