"""What is wrong with one file of a submission."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.curate.json_lines import read_json_lines
from shopglot.curate.raw import RawTable

TARGETS: Final[Mapping[Task, str]] = {"QC": "category_path", "QI": "item_title"}
"""What the competition's files call the target of each task."""

_VALUE: Final = r'\s*:\s*("(?:[^"\\]|\\.)*"|[^\s,}]+)'
_OF_ID: Final = pl.format("id {}", "id")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault of a file, how often it occurs, and its first occurrence."""

    file: str
    kind: str
    count: int
    first: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return f"{self.file}: {self.kind}: {self.count:,}, such as {self.first}"


def file_faults(path: Path, task: Task, wanted: pl.DataFrame) -> list[Fault]:
    """Return every kind of fault of a submission's file as an answer to the `wanted` rows of its task.

    `wanted` has the columns `id`, `language`, `query` and `target` as texts, each id once.
    """
    if not path.is_file():
        return [Fault("the submission", "files missing", 1, path.name)]
    try:
        table = read_json_lines(path)
    except DataError as reason:
        return [Fault(path.name, "files that nobody can read", 1, str(reason))]
    rows = written_rows(table, task)
    missing = wanted.join(rows, on="id", how="anti", maintain_order="left").select(shown=_OF_ID)
    found = {
        "lines that are no JSON objects": table.broken.select(shown=pl.format("line {}, {}", "line", "reason")),
        **_key_faults(table, task),
        **_row_faults(rows, wanted),
        "ids of the task file that are missing": missing,
    }
    return [Fault(path.name, kind, hits.height, hits["shown"][0]) for kind, hits in found.items() if hits.height]


def written_rows(table: RawTable, task: Task) -> pl.DataFrame:
    """Return the texts of each line, and `id_token` and `prediction` as they are written, for "1" is not 1."""
    columns = {"language": "language", "query": "origin_query", "target": TARGETS[task]}
    here = {name: column for name, column in columns.items() if column in table.rows.columns}
    return pl.DataFrame({"line": table.lines, "text": table.texts}).select(
        "line",
        *(table.rows[column].cast(pl.String).alias(name) for name, column in here.items()),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in columns if name not in here),
        id=_token("id").str.strip_chars('"'),
        id_token=_token("id"),
        prediction=_token("prediction"),
    )


def _token(key: str) -> pl.Expr:
    """The value of a key as JSON writes it; inside a text the quotes around a key would have backslashes."""
    return pl.col("text").str.extract(f'"{key}"{_VALUE}')


def _key_faults(table: RawTable, task: Task) -> dict[str, pl.DataFrame]:
    expected = ("id", "language", "origin_query", TARGETS[task], "prediction")
    lines = pl.DataFrame({"line": table.lines, "text": table.texts})
    shown = pl.format("line {}", "line")
    found = {
        f"lines without the key {key!r}": lines.filter(~pl.col("text").str.contains(rf'"{key}"\s*:')).select(
            shown=shown
        )
        for key in expected
    }
    others = [name for name in table.rows.columns if name not in expected] if table.rows.height else []
    return found | {"keys that do not belong there": pl.DataFrame({"shown": others}, schema={"shown": pl.String})}


def _row_faults(rows: pl.DataFrame, wanted: pl.DataFrame) -> dict[str, pl.DataFrame]:
    known = rows.join(wanted.with_columns(known=True), on="id", how="left", suffix="_wanted", maintain_order="left")
    number = pl.col("id").cast(pl.Int64, strict=False)
    unlike = "{} that are not those of the task file"
    kinds: dict[str, tuple[pl.Expr, pl.Expr]] = {
        "ids that are no whole numbers": (~pl.col("id_token").str.contains(r"^-?\d+$"), pl.col("id_token")),
        "ids that stand there before": (~pl.col("id").is_first_distinct(), _OF_ID),
        "ids below the one before": (number < number.shift(1), _OF_ID),
        "ids that are not in the task file": (pl.col("known").is_null(), _OF_ID),
        **{
            unlike.format(plural): (pl.col("known") & pl.col(name).ne_missing(pl.col(f"{name}_wanted")), _OF_ID)
            for name, plural in (("language", "languages"), ("query", "queries"), ("target", "targets"))
        },
        "predictions other than 0 and 1": (
            ~pl.col("prediction").is_in(["0", "1"]),
            pl.format("{} at id {}", "prediction", pl.col("id").fill_null("?")),
        ),
    }
    return {kind: known.filter(holds).select(shown=shown) for kind, (holds, shown) in kinds.items()}
