"""The report in a few lines for the terminal."""

from rich.table import Table
from rich.text import Text

from shopglot.report.figures import count, decimal, percent, percent_interval, task_name
from shopglot.report.summary import ENGLISH, OTHERS, Report, SliceReport

_COLUMNS = ("F1 %", "95 % interval", "all-positive F1 %", "PR-AUC", "MCC", "threshold", "pairs")


def console_table(report: Report) -> Table:
    """Return the tasks and their slices on the evidence at the top, for `rich.console.Console.print`."""
    table = Table(title=Text(f"{report.name}: F1avg {percent(report.f1_avg)} % on {report.measured_on}"))
    table.add_column("task, slice")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for task, measures in report.tasks.items():
        table.add_section()
        table.add_row(Text(task_name(task)), *_cells(measures, decimal(report.thresholds[task])), style="bold")
        for name, values in measures.slices.items():
            for value, each in values.items():
                if name != ENGLISH or value == OTHERS:  # English itself stands among the languages
                    label = value if name in {"language", ENGLISH} else f"{name}: {value}"
                    table.add_row(Text(f"  {label}"), *_cells(each, ""))
    return table


def _cells(measures: SliceReport, threshold: str) -> tuple[str, ...]:
    return (
        percent(measures.f1),
        percent_interval(measures.f1_interval),
        percent(measures.all_positive_f1),
        decimal(measures.pr_auc),
        decimal(measures.mcc),
        threshold,
        count(measures.count),
    )
