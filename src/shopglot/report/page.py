"""The page people read, as one HTML file that needs nothing beside itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from shopglot.core.pair import Task
from shopglot.report import figures, sections
from shopglot.report.charts import Dot, dot_chart
from shopglot.report.decisions_page import decisions_view
from shopglot.report.facts import fact_tables
from shopglot.report.measure import FEW_GROUPS, Difference, SliceReport
from shopglot.report.mistake_tables import mistake_tables
from shopglot.report.render import render
from shopglot.report.sections import Table
from shopglot.report.slices import ENGLISH, OTHERS
from shopglot.report.summary import OUT_OF_FOLD, PREFERRED, Report, TaskReport
from shopglot.report.translation import TaskReadings


@dataclass(frozen=True, slots=True)
class Chart:
    """An SVG with its caption and what its dots and diamonds stand for."""

    caption: str
    dot: str
    diamond: str
    svg: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """What the page shows of one task."""

    task: Task
    name: str
    measures: TaskReport
    threshold: float
    beyond_english: SliceReport | None
    by_language: Chart
    learners: Table | None
    differences: Table | None
    gains: tuple[Chart, ...]
    readings: tuple[Table, ...]
    translation: Chart | None


def page(report: Report) -> str:
    """Return the report as HTML without scripts, fonts or pictures from elsewhere."""
    return render("page.html.j2", _view(report))


def _view(report: Report) -> dict[str, Any]:
    """Return what the template shows."""
    facts = dict(report.facts)
    folds = facts.pop("folds", None)
    return {
        "report": report,
        "figures": figures,
        "simulated": _is_simulated(report),
        "tasks": [_task_view(task, report) for task in report.tasks],
        "evidence": [name for name in PREFERRED if name in report.evidence],
        "evidence_table": sections.evidence_table(report),
        "slices": {name: sections.slice_tables(report, name) for name in report.evidence},
        "decisions": [decisions_view(task, each, report.measured_on) for task, each in report.decisions.items()],
        "gap": sections.gap_table(report) if report.gap else None,
        "quality": sections.quality_table(report.translation) if report.translation else None,
        "worst": sections.worst_table(report.translation) if report.translation else None,
        "spread": sections.spread_table(report) if OUT_OF_FOLD in report.evidence else None,
        "mistakes": mistake_tables(report),
        "folds": fact_tables("folds", folds) if folds else [],
        "facts": [table for key, value in _by_topic(facts).items() for table in fact_tables(key, value)],
        "small": sections.SMALL,
        "few_groups": FEW_GROUPS,
    }


def _by_topic(facts: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the facts with those that are a single value, such as the seed, together as the topic "run"."""
    single: dict[str, JsonValue] = {key: value for key, value in facts.items() if not isinstance(value, dict)}
    topics: dict[str, JsonValue] = {key: value for key, value in facts.items() if key not in single}
    return {"run": single, **topics} if single else topics


def _is_simulated(report: Report) -> bool:
    data = report.facts.get("data")
    return isinstance(data, dict) and data.get("simulated") is True


def _task_view(task: Task, report: Report) -> TaskView:
    measures = report.tasks[task]
    gained = {name: tasks[task] for name, tasks in report.differences.items() if task in tasks}
    read = report.translation.tasks.get(task) if report.translation else None
    return TaskView(
        task=task,
        name=figures.task_name(task),
        measures=measures,
        threshold=report.thresholds[task],
        beyond_english=measures.slices.get(ENGLISH, {}).get(OTHERS),
        by_language=_language_chart(task, measures.slices["language"]),
        learners=sections.learners_table(task, report) if gained else None,
        differences=sections.differences_table(task, gained) if gained else None,
        gains=tuple(
            _gain_chart(f"{figures.task_name(task)}: the blend over {name}", each) for name, each in gained.items()
        ),
        readings=_readings_tables(task, read) if read else (),
        translation=_translation_chart(task, read) if read else None,
    )


def _language_chart(task: Task, languages: Mapping[str, SliceReport]) -> Chart:
    dots = [_dot(name, each.f1, each.f1_interval, each.all_positive_f1) for name, each in languages.items()]
    caption = f"{figures.task_name(task)}: F1 by language"
    return Chart(caption, "F1", "F1 of calling every pair relevant", dot_chart(dots, "F1 %"))


def _gain_chart(caption: str, differences: Mapping[str, Difference]) -> Chart:
    dots = [_dot(name, each.f1, each.interval, 0.0) for name, each in differences.items()]
    return Chart(caption, "difference of F1", "no difference", dot_chart(dots, "F1 points gained"))


def _readings_tables(task: Task, found: TaskReadings) -> tuple[Table, ...]:
    name = figures.task_name(task)
    by_language, by_agreement = f"{name} by language", f"{name} by agreement of query and translation"
    added = "F1 points that both texts add, with 95 % intervals"
    return (
        sections.readings_table(f"{by_language}: the four readings", "language", found.languages),
        sections.gains_table(f"{by_language}: {added}", "language", found.languages),
        sections.readings_table(f"{by_agreement}: the four readings", "agreement", found.quarters),
        sections.gains_table(f"{by_agreement}: {added}", "agreement", found.quarters),
    )


def _translation_chart(task: Task, found: TaskReadings) -> Chart:
    gains = {name: each.readings["original"].gain for name, each in found.languages.items()}
    return _gain_chart(f"{figures.task_name(task)}: both texts over the original alone", gains)


def _dot(label: str, value: float, interval: tuple[float, float], reference: float) -> Dot:
    low, high = interval
    return Dot(label, 100 * value, 100 * low, 100 * high, 100 * reference)
