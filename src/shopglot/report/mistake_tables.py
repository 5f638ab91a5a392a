"""The mistakes of a run as tables of its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from shopglot.report.figures import DASH, count, decimal, spaced, task_name
from shopglot.report.mistakes import Mistake, Mistakes, Neighbour
from shopglot.report.sections import Row, Table
from shopglot.report.summary import Report

_COLUMNS = ("query", "in English", "target", "probability", "threshold", "nearest training pairs")
_LABELS = ("irrelevant", "relevant")


@dataclass(frozen=True, slots=True)
class MistakesView:
    """The mistakes of one slice: its name with how many there are, and up to two tables."""

    name: str
    tables: tuple[Table, ...]


def mistake_tables(report: Report) -> dict[str, dict[str, list[MistakesView]]]:
    """Return the mistakes of each task and column, both by their names: false positives, then false negatives."""
    return {
        task_name(task): {
            spaced(column): [
                _view(f"{task_name(task)}, {_where(column, value)}", value, found) for value, found in values.items()
            ]
            for column, values in columns.items()
        }
        for task, columns in report.mistakes.items()
    }


def _view(where: str, value: str, found: Mistakes) -> MistakesView:
    kinds = {
        f"{where}: called relevant, labelled irrelevant": found.false_positives,
        f"{where}: called irrelevant, labelled relevant": found.false_negatives,
    }
    tables = [_table(caption, mistakes) for caption, mistakes in kinds.items() if mistakes]
    return MistakesView(f"{value}: {count(found.wrong)}", tuple(tables))


def _where(column: str, value: str) -> str:
    return value if column == "language" else f"{spaced(column)} {value}"


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
