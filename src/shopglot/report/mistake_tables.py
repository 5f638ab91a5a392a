"""The mistakes of a run as tables of its page."""

from collections.abc import Sequence

from shopglot.report.figures import DASH, decimal, task_name
from shopglot.report.mistakes import Mistake, Neighbour
from shopglot.report.sections import Row, Table
from shopglot.report.summary import Report

_COLUMNS = ("query", "in English", "target", "probability", "threshold", "nearest training pairs")
_LABELS = ("irrelevant", "relevant")


def mistake_tables(report: Report) -> dict[str, dict[str, list[Table]]]:
    """Return the tables of each task, by its name, and language: the false positives, then the false negatives."""
    shown: dict[str, dict[str, list[Table]]] = {}
    for task, languages in report.mistakes.items():
        for language, found in languages.items():
            where = f"{task_name(task)}, {language}"
            kinds = {
                f"{where}: called relevant, labelled irrelevant": found.false_positives,
                f"{where}: called irrelevant, labelled relevant": found.false_negatives,
            }
            tables = [_table(caption, mistakes) for caption, mistakes in kinds.items() if mistakes]
            shown.setdefault(task_name(task), {})[language] = tables
    return shown


def _table(caption: str, mistakes: Sequence[Mistake]) -> Table:
    rows = [
        Row(
            each.query,
            (
                each.english or DASH,
                each.target,
                decimal(each.probability),
                decimal(each.threshold),
                "\n".join(map(_neighbour, each.nearest)) or DASH,
            ),
        )
        for each in mistakes
    ]
    return Table(caption, _COLUMNS, tuple(rows))


def _neighbour(pair: Neighbour) -> str:
    english = f" ({pair.english})" if pair.english not in (None, pair.query) else ""
    return f"{_LABELS[pair.label]}: {pair.query}{english} → {pair.target}"
