"""How each kind of file names the parts of a pair."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.raw import RawTable
from shopglot.curate.settings import ESCI_LABELS, WANDS_LABELS, CurateSettings


@dataclass(frozen=True, slots=True)
class Layout:
    """The column that holds each part of a pair; a file may lack the optional ones.

    `language` is that of all queries where no column says it.
    """

    name: str
    query: str
    targets: Mapping[str, str]
    optional: Mapping[str, str]
    language: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The column of every part; the part that is a target is named like its task."""
        return {"query": self.query, **self.targets, **self.optional}

    def labels(self, settings: CurateSettings) -> dict[str, int]:
        """Return the label that each judgement in such a file stands for."""
        match self.name:
            case "ESCI":
                words = {word: int(word in settings.esci_relevant) for word in ESCI_LABELS}
                return words | {word[0]: label for word, label in words.items()}
            case "WANDS":
                return {word: int(word in settings.wands_relevant) for word in WANDS_LABELS}
            case _:
                return {"0": 0, "1": 1}


LAYOUTS: Final = (
    Layout(
        name="competition",
        query="origin_query",
        targets={"QC": "category_path", "QI": "item_title"},
        optional={
            "id": "id",
            "task": "task",
            "language": "language",
            "english": "translated_query",
            "label": "label",
            "concept": "concept",
            "annotator": "annotator",
            "weight": "weight",
        },
    ),
    Layout(
        name="ESCI",
        query="query",
        targets={"QI": "product_title"},
        optional={"id": "example_id", "language": "product_locale", "label": "esci_label"},
    ),
    Layout(
        name="WANDS",
        query="query",
        targets={"QI": "product_name"},
        optional={"id": "id", "label": "label"},
        language="en",
    ),
)


def layout_of(table: RawTable) -> Layout:
    """Return the layout whose query and target are columns of `table`; raises DataError when there is none."""
    columns = table.rows.columns
    for layout in LAYOUTS:
        if layout.query in columns and not set(columns).isdisjoint(layout.targets.values()):
            _refuse_nested(table, layout)
            return layout
    raise DataError(_complaint(table.file, columns))


def _complaint(file: str, columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return (
            f"{file} has the one column {columns[0]!r}; are its fields separated otherwise than by commas in a .csv, "
            "by tabs in a .tsv?"
        )
    telling = set(columns) - {"query"}  # any file may call its queries so
    nearest = max(LAYOUTS, key=lambda layout: len(telling.intersection(layout.columns.values())))
    either = [(nearest.query,), tuple(nearest.targets.values())]
    lacking = [names for names in either if not set(names).intersection(columns)]
    unknown = [column for column in columns if column not in nearest.columns.values()]
    likely = [column for wanted in chain(*lacking) for column in difflib.get_close_matches(wanted, unknown, n=1)]
    hint = f"is {likely[0]!r} meant? Rename it" if likely else f"its columns are {', '.join(columns)}"
    return f"{file} has no column {' and no '.join(' or '.join(map(repr, names)) for names in lacking)}; {hint}"


def _refuse_nested(table: RawTable, layout: Layout) -> None:
    for column in layout.columns.values():
        if table.rows.schema.get(column, pl.String()).is_nested():
            raise DataError(
                f"the column {column!r} of {table.file} holds lists or objects; write text or numbers there"
            )
