"""Files of labelled pairs are read; rows that cannot be read are set aside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import polars.selectors as cs

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.blocks import START, Place, empty
from shopglot.curate.folders import read_wands
from shopglot.curate.json_lines import json_chunks
from shopglot.curate.json_schema import json_schema
from shopglot.curate.parquet import parquet_chunks
from shopglot.curate.raw import QUARANTINE, RawTable
from shopglot.curate.rows import as_pairs
from shopglot.curate.separated import separated_chunks
from shopglot.curate.settings import CurateSettings

_FORMATS: Final = {
    ".json": "json", ".jsonl": "json", ".txt": "json", ".csv": ",", ".tsv": "\t", ".parquet": "parquet"
}  # fmt: skip
_BEGINNING: Final = 200


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """What `rows` rows of files became: pairs with raw texts, and the rows set aside.

    `quarantine` has the columns file, line, reason and text, the first 200 characters of the row.
    """

    pairs: Pairs
    quarantine: pl.DataFrame
    rows: int


def read_pairs(
    paths: Sequence[Path], settings: CurateSettings, *, task: Task | None = None, training: bool = True
) -> Reading:
    """Return the pairs of all files in order, their texts as they stand there.

    The suffix says the format (JSON lines, CSV, TSV, Parquet; text also as .gz), the columns say the layout: the
    competition's, ESCI's, or WANDS's for a folder. `task` is that of rows which neither name one nor have one
    target. A pair's id is its task and its id in the file. All columns of the file travel along under `own:`.

    A row that cannot be read goes to quarantine; in training so does one whose label cannot be read or whose id an
    earlier row of its task has. Raises DataError for a file that cannot be read, or of which no row can.
    """
    if not paths:
        raise DataError("no files were given; name at least one")
    parts = [_read_file(path, settings, task, training=training) for path in paths]
    rows = stacked([rows for rows, _ in parts], [str(path) for path in paths])
    if training:
        rows = _with_later_twins_refused(rows)
    kept = rows.filter(pl.col("reason").is_null()).drop("file", "line", "text", "reason")
    quarantine = as_quarantine([_set_aside(rows), *(broken for _, broken in parts)])
    return Reading(Pairs.from_frame(kept), quarantine, kept.height + quarantine.height)


def whole_table(path: Path) -> RawTable:
    """Return the rows of a file in any format that holds no pairs; raises DataError where a single one is bad."""
    table = _raw_table(path)
    if table.broken.height:
        first = table.broken.sort("line").row(0, named=True)
        raise DataError(f"{path} line {first['line']}: {first['reason']}; mend it, for such a file is read whole")
    if nested := [name for name, dtype in table.rows.schema.items() if dtype.is_nested()]:
        raise DataError(f"{path} holds lists or objects in {', '.join(nested)}; write text or numbers there")
    return table


def raw_chunks(
    path: Path, size: int | None, start: Place = START, schema: pl.Schema | None = None
) -> Iterator[tuple[RawTable, Place]]:
    """Yield the rows of a file in chunks of about `size` bytes, and the place where the next one begins.

    None gives the whole file at once, as a folder always is. `schema` is that of the whole file, which a chunk of JSON
    lines cannot know (`file_schema`); in the other formats it is not needed. Raises DataError for a file that cannot be
    read.
    """
    if path.is_dir():
        table = read_wands(path)
        return iter([(table, Place(table.rows.height))] if not start.offset else [])
    match _format(path):
        case "json":
            return json_chunks(path, size, start, schema)
        case "parquet":
            return parquet_chunks(path, size, start)
        case separator:
            return separated_chunks(path, separator, size, start)


def file_schema(path: Path, size: int | None) -> pl.Schema | None:
    """Return the types of a file's columns where a chunk of it does not show them, else None."""
    return None if path.is_dir() or _format(path) != "json" else json_schema(path, size)


def judged_rows(
    table: RawTable, settings: CurateSettings, task: Task | None, *, training: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that are pairs, as `Pairs.from_frame` takes them, and the quarantine of the others."""
    if not table.rows.height:
        return pl.DataFrame(), table.broken
    rows = as_pairs(table, settings, task, training=training)
    kept = rows.filter(pl.col("reason").is_null())
    return kept, as_quarantine([_set_aside(rows), table.broken])


def as_quarantine(broken: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the quarantine of these rows, the first characters of each."""
    return pl.concat(broken).sort("file", "line").with_columns(pl.col("text").str.slice(0, _BEGINNING))


def require_good_rows(path: Path, kept: int, first: Mapping[str, Any] | None) -> None:
    """Raise DataError for a file without a row, and for one of which no row is a pair; `first` is its first bad one."""
    if not kept and first is None:
        raise DataError(f"{path} has no rows; see what should have written it")
    if not kept and first is not None:
        raise DataError(f"every row of {path} is bad, the first in line {first['line']}: {first['reason']}")


def _read_file(
    path: Path, settings: CurateSettings, task: Task | None, *, training: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of a file with the reasons against them, and the lines that hold no row."""
    table = _raw_table(path)
    broken = table.broken
    if table.rows.height:
        rows = as_pairs(table, settings, task, training=training)
        if rows["reason"].null_count():
            return rows, broken
        broken = pl.concat([_set_aside(rows), broken])
    first = broken.sort("line").row(0, named=True) if broken.height else None
    require_good_rows(path, 0, first)
    return table.rows, broken


def _raw_table(path: Path) -> RawTable:
    for table, _ in raw_chunks(path, None):
        return table
    raise empty(path)


def _format(path: Path) -> str:
    """Return "json", "parquet" or what separates the fields."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix in _FORMATS:
        return _FORMATS[suffix]
    raise DataError(f"the name of {path} says no format; end it in one of {', '.join(_FORMATS)} (text also .gz)")


def stacked(frames: Sequence[pl.DataFrame], files: Sequence[str]) -> pl.DataFrame:
    """Return the rows of one frame per file with the columns of all, each in a type that holds those of all."""
    seen: dict[str, tuple[bool, str]] = {}
    for frame, here in zip(frames, files, strict=True):
        for name, dtype in frame.drop(cs.by_dtype(pl.Null)).schema.items():
            kind, file = seen.setdefault(name, (dtype.is_nested(), here))
            if kind != dtype.is_nested():  # polars would make an object of a number, and a broken text of an object
                raise DataError(
                    f"of {file} and {here}, only one holds lists or objects in {name.removeprefix(OWN)!r}; "
                    "write it alike in both"
                )
    try:
        return pl.concat(frames, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as reason:
        raise DataError(f"the files hold one column in different types ({reason}); write it alike in all") from reason


def _with_later_twins_refused(rows: pl.DataFrame) -> pl.DataFrame:
    """Refuse all rows but the first readable one of each id."""
    readable = pl.when(pl.col("reason").is_null()).then("id")
    later = pl.col("reason").is_null() & ~readable.is_first_distinct()
    if not rows.select(later.any()).item():
        return rows
    first = pl.format("{} line {}", "file", "line").first().over(readable)
    twin = pl.when(later).then(pl.format("the id {} stands before in {}", "id", first))
    return rows.with_columns(reason=pl.coalesce("reason", twin))


def _set_aside(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that have a reason against them as a quarantine."""
    refused = rows.filter(pl.col("reason").is_not_null())
    as_json = pl.struct(pl.col(f"^{OWN}.*$").name.map(lambda name: name.removeprefix(OWN))).struct.json_encode()
    return refused.with_columns(text=pl.coalesce("text", as_json)).select(list(QUARANTINE))
