"""The files a comparison is kept in, and its table for the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import rich.box
import rich.table
from rich.text import Text

from shopglot.core.files import whole_file, write_json
from shopglot.report import figures
from shopglot.report.ablation import ablation_table, gap_table, markdown
from shopglot.report.charts import Dot, dot_chart
from shopglot.report.compare import Comparison, Flip, RunComparison, SliceComparison, TaskComparison
from shopglot.report.figures import DASH, change, count, decimal, percent, points, points_interval, spaced, task_name
from shopglot.report.measure import ALL
from shopglot.report.render import render
from shopglot.report.sections import SMALL, Row, Table

MARK: Final = "compare.json"
_COLUMNS: Final = (
    "base F1 %",
    "new F1 %",
    "difference, points",
    "gained",
    "lost",
    "McNemar p",
    "all-positive F1 %",
    "base PR-AUC",
    "new PR-AUC",
    "base MCC",
    "new MCC",
    "pairs",
)
_SMALLEST: Final = 0.001
_HOLDS: Final = {True: "holds", False: "does not hold"}
_FLIPS: Final = {"gained": "right only in the new run", "lost": "right only in the base"}


def write_comparison(comparison: Comparison, out: Path) -> None:
    """Write `compare.json`, the self-contained page `compare.html` and, where there are runs, `ablation.md`."""
    html = compare_page(comparison)
    write_json(out / MARK, comparison.to_json())
    with whole_file(out / "compare.html") as part:
        part.write_text(html, encoding="utf-8")
    if comparison.ablation:
        with whole_file(out / "ablation.md") as part:
            part.write_text("\n".join(map(markdown, _ablation(comparison))), encoding="utf-8")


def compare_page(comparison: Comparison) -> str:
    """Return the comparison as HTML without scripts, fonts or pictures from elsewhere."""
    runs = [_run_view(run) for run in comparison.runs]
    view = {
        "comparison": comparison,
        "figures": figures,
        "runs": runs,
        "overview": _overview(comparison) if len(runs) > 1 else None,
        "ablation": _ablation(comparison),
        "small": SMALL,
    }
    return render("compare.html.j2", view)


def console_comparison(run: RunComparison, base: str) -> rich.table.Table:
    """Return one new run against the base, tasks and languages, for `rich.console.Console.print`."""
    title = Text(f"{run.name} against {base}: F1avg {change(run.overall)}")
    caption = f"+ and −: pairs that only the new, or only the base, decides rightly; *: under {SMALL} pairs"
    table = rich.table.Table(title=title, caption=caption, box=rich.box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("task, language")
    for column in ("F1 %", "difference, 95 %", "+", "−", "p", "pairs"):
        table.add_column(column, justify="right", no_wrap=True)
    for task, found in run.tasks.items():
        table.add_section()
        table.add_row(str(task), *_short_cells(found), style="bold")
        for name, each in found.slices["language"].items():
            table.add_row(Text(f"  {name}"), *_short_cells(each))
    return table


def slice_table(task: str, column: str, found: TaskComparison) -> Table:
    """Return the whole task and the slices of one column, each side beside the other."""
    slices = {ALL: found, **found.slices[column]}
    rows = tuple(Row(name, _cells(each), _marks(each)) for name, each in slices.items())
    head = spaced(column)
    return Table(f"{task} by {head}", (head, *_COLUMNS), rows)


def flip_table(caption: str, flips: list[Flip]) -> Table:
    """Return pairs that are decided otherwise, with both probabilities."""
    columns = ("query", "English", "target", "label", "base P(relevant)", "new P(relevant)", "id")
    rows = tuple(
        Row(
            each.query,
            (each.english or DASH, each.target, str(each.label), decimal(each.base), decimal(each.new), each.id),
        )
        for each in flips
    )
    return Table(caption, columns, rows)


def p_value(value: float) -> str:
    """Return a p-value, which is never nothing.

    >>> p_value(0.0312), p_value(1e-9)
    ('0.031', '<0.001')
    """
    return decimal(value) if value >= _SMALLEST else f"<{decimal(_SMALLEST)}"


def _overview(comparison: Comparison) -> Table:
    """Return the mean of the tasks' F1 of every run beside that of the base, and whether its gates hold."""
    rows = tuple(
        Row(run.name, (change(run.overall), *(_HOLDS[result.holds] for result in run.gates))) for run in comparison.runs
    )
    gates = (str(result.gate) for result in comparison.runs[0].gates)
    return Table(
        f"F1avg of every run minus that of {comparison.base}", ("run", "points, with 95 % interval", *gates), rows
    )


def _ablation(comparison: Comparison) -> list[Table]:
    rows, shared = comparison.ablation, comparison.measured_on
    return [ablation_table(rows, shared), gap_table(rows, shared)] if rows else []


def _run_view(run: RunComparison) -> dict[str, Any]:
    tasks = [
        {
            "name": task_name(task),
            "chart": _chart(found),
            "tables": [slice_table(task_name(task), column, found) for column in found.slices],
            "flips": list(_flips(task_name(task), found)),
        }
        for task, found in run.tasks.items()
    ]
    return {"run": run, "overall": change(run.overall), "tasks": tasks}


def _chart(found: TaskComparison) -> str:
    slices = {ALL: found, **found.slices["language"]}
    bounds = {name: (each.difference.f1, *each.difference.interval, 0.0) for name, each in slices.items()}
    dots = [Dot(name, *(100 * value for value in values)) for name, values in bounds.items()]
    return dot_chart(dots, "F1 points, new − base")


def _flips(task: str, found: TaskComparison) -> Iterator[tuple[str, list[Table]]]:
    """Yield each slice that has flips, with a table of each kind that it has."""
    for name, each in {"all pairs": found, **found.slices["language"]}.items():
        tables = [flip_table(f"{task}, {name}: {_FLIPS[kind]}", flips) for kind, flips in each.flips.items() if flips]
        if tables:
            yield f"{name}: {count(each.gained)} gained, {count(each.lost)} lost", tables


def _short_cells(each: SliceComparison) -> tuple[str, ...]:
    return (
        f"{percent(each.base.f1)} → {percent(each.new.f1)}",
        f"{points(each.difference.f1)} ({points_interval(each.difference.interval)})",
        count(each.gained),
        count(each.lost),
        p_value(each.p_value),
        count(each.difference.count) + ("*" if each.difference.count < SMALL else " "),
    )


def _cells(each: SliceComparison) -> tuple[str, ...]:
    return (
        percent(each.base.f1),
        percent(each.new.f1),
        change(each.difference),
        count(each.gained),
        count(each.lost),
        p_value(each.p_value),
        percent(each.base.all_positive_f1),
        decimal(each.base.pr_auc),
        decimal(each.new.pr_auc),
        decimal(each.base.mcc),
        decimal(each.new.mcc),
        count(each.difference.count),
    )


def _marks(each: SliceComparison) -> tuple[str, ...]:
    few = ("few pairs",) if each.difference.count < SMALL else ()
    return few + {0.0: ("none relevant",), 1.0: ("all relevant",)}.get(each.base.positive_rate, ())
