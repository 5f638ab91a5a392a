"""Pairs as a table, checked once at the edge and trusted everywhere else."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.pair import TASKS, Pair, Task

OWN: Final = "own:"
"""Prefix of the columns that came with the file; they travel along untouched."""

SCHEMA: Final = pl.Schema(
    {
        "id": pl.String(),
        "task": pl.Enum(TASKS),
        "query": pl.String(),
        "target": pl.String(),
        "language": pl.String(),
        "english": pl.String(),
        "label": pl.Int8(),
        "concept": pl.String(),
        "made_from": pl.String(),
        "made_by": pl.String(),
        "annotator": pl.String(),
        "weight": pl.Float64(),
        "flag": pl.String(),
    }
)
"""The columns of every `Pairs`. `flag` says why a row has no text to judge, such as "empty query"."""

TRANSLATED: Final = (pl.col("english").fill_null("") != "") & (pl.col("english") != pl.col("query"))
"""Whether a row has an English text that says more than its query."""


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Pairs as a polars table with the columns of `SCHEMA`, followed by the file's own columns under `own:`.

    >>> pairs = Pairs.of([Pair(task="QI", query="nighty", target="Womens Pajama Set", label=1)])
    >>> len(pairs), pairs.labels.tolist()
    (1, [1])
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        """Refuse a table that lacks a column or holds one in another type."""
        schema = self.frame.schema
        wrong = [name for name, dtype in SCHEMA.items() if schema.get(name) != dtype]
        if wrong:
            raise DataError(f"the table of pairs lacks {', '.join(wrong)} in the types of SCHEMA; use Pairs.from_frame")

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Self:
        """Return the table of `pairs`; a pair without an id gets its position as its id.

        Raises DataError for a text that is no Unicode, as one from a terminal may be.
        """
        rows = [asdict(pair) for pair in pairs]
        schema = {name: dtype for name, dtype in SCHEMA.items() if name != "flag"} | {"task": pl.String()}
        try:
            table = pl.DataFrame(rows, schema=schema)  # as text, an unknown task is not read as none
        except UnicodeEncodeError as reason:
            raise DataError(
                f"half a surrogate pair is no character, in {reason.object!r}; give texts in UTF-8"
            ) from reason
        return cls.from_frame(table)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Self:
        """Return `frame` as pairs: missing columns are filled, known ones cast, all others become `own:` columns.

        Raises DataError for a row without a task, and for a label other than 0, 1 and null.
        """
        for name in ("task", "query", "target"):
            if name not in frame.columns:
                raise DataError(f"a table of pairs needs the column {name!r}; it has {', '.join(frame.columns)}")
        defaults = {name: pl.lit(None, dtype=dtype) for name, dtype in SCHEMA.items()}
        known = [(pl.col(name) if name in frame.columns else defaults[name]).alias(name) for name in SCHEMA]
        own = [
            pl.col(name).alias(name if name.startswith(OWN) else OWN + name)
            for name in frame.columns
            if name not in SCHEMA
        ]
        table = frame.select(known + own)
        try:
            label = table["label"].cast(pl.Float64)  # a whole number would hide the rest of 0.5
            table = table.cast(SCHEMA)
        except pl.exceptions.PolarsError as reason:
            raise DataError(f"a column of the table of pairs has another type than SCHEMA says: {reason}") from reason
        if table["task"].null_count():
            raise DataError(f"a row of the table of pairs has no task; give each one of {', '.join(TASKS)}")
        if (wrong := label.filter(~label.is_in([0.0, 1.0]))).len():
            raise DataError(f"the table of pairs holds the label {wrong[0]:g}; write 0, 1 or null")
        position = pl.int_range(pl.len()).cast(pl.String)
        return cls(
            table.with_columns(
                pl.col("id").fill_null(position),
                pl.col("weight").fill_null(1.0),
                pl.col("query", "target").fill_null(""),
            )
        )

    @classmethod
    def from_parquet(cls, path: Path) -> Self:
        """Return the table that `frame.write_parquet` wrote, with its own columns."""
        return cls(pl.read_parquet(path))

    @classmethod
    def concat(cls, parts: Iterable["Pairs"]) -> Self:
        """Return the rows of all parts in order; own columns that a part lacks are null there."""
        frames = [part.frame for part in parts]
        if not frames:
            return cls(SCHEMA.to_frame())
        return cls(pl.concat(frames, how="diagonal_relaxed"))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.frame.height

    def __getitem__(self, column: str) -> pl.Series:
        """Return one column."""
        return self.frame[column]

    def filter(self, rows: pl.Expr | NDArray[np.bool_] | pl.Series) -> "Pairs":
        """Return the rows for which the mask or expression is true."""
        if isinstance(rows, np.ndarray):
            return self if rows.all() else Pairs(self.frame.filter(pl.Series(rows)))
        return Pairs(self.frame.filter(rows))

    def of_task(self, task: Task) -> "Pairs":
        """Return the rows of one task."""
        return self.filter(pl.col("task") == task)

    def of_tasks(self, tasks: Iterable[Task]) -> "Pairs":
        """Return the rows of any of these tasks."""
        return self.filter(pl.col("task").is_in(list(tasks)))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that occur, in the order QC, QI."""
        return tuple(task for task in TASKS if (self.frame["task"] == task).any())

    @property
    def labelled(self) -> "Pairs":
        """The rows that have a label."""
        return self.filter(pl.col("label").is_not_null())

    @property
    def labels(self) -> NDArray[np.int8]:
        """The labels, shape (rows,); raises DataError where one is missing."""
        column = self.frame["label"]
        if column.null_count():
            raise DataError(f"{column.null_count()} of {len(self)} pairs have no label; use Pairs.labelled")
        return column.to_numpy()

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which rows have a query and a target, shape (rows,); there is nothing to judge in the others."""
        written = pl.col("query", "target").str.strip_chars() != ""
        return self.frame.select(pl.all_horizontal(written)).to_series().to_numpy()

    @property
    def translated(self) -> NDArray[np.bool_]:
        """Which rows are `TRANSLATED`, shape (rows,)."""
        return self.frame.select(TRANSLATED).to_series().to_numpy()

    def own_columns(self) -> pl.DataFrame:
        """Return the file's own columns under the names they had there."""
        return self.frame.select(pl.col(f"^{OWN}.*$").name.map(lambda name: name.removeprefix(OWN)))
