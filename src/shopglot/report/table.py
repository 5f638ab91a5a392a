"""The report in a few lines for the terminal."""

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from shopglot.report.figures import count, decimal, percent, percent_interval
from shopglot.report.measure import FEW_GROUPS, SliceReport
from shopglot.report.sections import SMALL
from shopglot.report.slices import DERIVED, ENGLISH, OTHERS
from shopglot.report.summary import Report

_COLUMNS = ("F1 %", "95 %", "all-pos. %", "PR-AUC", "MCC", "pairs")


def console_table(report: Report) -> Table:
    """Return the tasks by language and by the files' columns, on the evidence at the top, for `Console.print` of rich.

    Where several learners are blended, each alone stands below its task.
    The figures fit into a terminal of 80 columns; the names of slices are broken where they do not.
    """
    table = Table(
        title=Text(f"{report.name}: F1avg {percent(report.f1_avg)} % on {report.measured_on}"),
        caption=f"95 %: interval of F1; all-pos.: all called relevant; *: under {SMALL} pairs or {FEW_GROUPS} queries",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("task, slice")
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for task, measures in report.tasks.items():
        table.add_section()
        table.add_row(f"{task}, threshold {decimal(report.thresholds[task])}", *_cells(measures), style="bold")
        alone = {name: tasks[task] for name, tasks in report.learners.items() if task in tasks}
        for name, each in alone.items() if len(alone) > 1 else ():
            table.add_row(Text(f"  {name} alone"), *_cells(each))
        for name, values in measures.slices.items():
            if name in DERIVED:  # too many for a terminal; the page has them
                continue
            for value, each in values.items():
                if name != ENGLISH or value == OTHERS:  # English itself stands among the languages
                    label = value if name in {"language", ENGLISH} else f"{name}: {value}"
                    table.add_row(Text(f"  {label}"), *_cells(each))
    return table


def plain_table(frame: pl.DataFrame, title: str) -> Table:
    """Return a small frame as a table, numbers to the right; shares and measures have four decimals."""
    table = Table(title=Text(title), box=SIMPLE_HEAD, collapse_padding=True)
    for name, dtype in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(Text(f"{value:.4f}" if isinstance(value, float) else str(value)) for value in row))
    return table


def _cells(measures: SliceReport) -> tuple[str, ...]:
    return (
        percent(measures.f1),
        percent_interval(measures.f1_interval),
        percent(measures.all_positive_f1),
        decimal(measures.pr_auc),
        decimal(measures.mcc),
        count(measures.count) + ("*" if measures.small else " "),
    )
