"""A shop's catalogue as it keeps it: titles, categories and attributes in CSV, TSV, JSON lines or Parquet."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.json_lines import read_json_lines
from shopglot.curate.raw import RawTable
from shopglot.curate.separated import read_separated
from shopglot.enrich.bootstrap_settings import BootstrapSettings

log = logging.getLogger(__name__)

ATTRIBUTE: Final = "attribute:"
"""Prefix of the columns that hold what a catalogue says of an item beside its title and category."""


def read_items(file: Path, settings: BootstrapSettings) -> pl.DataFrame:
    """Return the items of a catalogue: the title as `target`, the text of the `category`, and `attribute:` columns.

    Items without a title or a category are left out, and so are later items with the same title. Raises DataError
    where the file has no such columns, or no item.
    """
    attributes = {ATTRIBUTE + name: name for name in settings.attributes}
    wanted = {"target": settings.title, "category": settings.category, **attributes}
    items = columns_of(read_table(file), file, wanted).drop_nulls(["target", "category"])
    if items.is_empty():
        raise DataError(f"{file} has no item with both a {settings.title!r} and a {settings.category!r}; fill them in")
    return items.unique("target", keep="first", maintain_order=True)


def read_table(file: Path) -> pl.DataFrame:
    """Return the rows of a file as text under its own column names, without lists, objects and unreadable rows.

    How many were unreadable is logged. Raises DataError for a file that is absent or damaged or has no readable row,
    and for a name that says no format.
    """
    if not file.is_file():
        raise DataError(f"there is no file {file}; check the path")
    match Path(file.name.removesuffix(".gz")).suffix.lower():
        case ".csv":
            rows = _readable(read_separated(file, ","))
        case ".tsv":
            rows = _readable(read_separated(file, "\t"))
        case ".json" | ".jsonl":
            rows = _readable(read_json_lines(file))
        case ".parquet":
            rows = _read_parquet(file)
        case _:
            raise DataError(f"the name of {file} says no format; end it in .csv, .tsv, .jsonl (also .gz) or .parquet")
    flat = [name for name, dtype in rows.schema.items() if not dtype.is_nested() and dtype != pl.Binary]
    return rows.select(pl.col(flat).cast(pl.String))


def columns_of(
    table: pl.DataFrame, file: Path, wanted: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Return the columns of a file under new names, blank texts as null; `wanted` maps each new name to the file's.

    An optional column that is absent is null. Raises DataError for a wanted one that is.
    """
    if absent := [column for column in wanted.values() if column not in table.columns]:
        raise DataError(f"{file} has no column {absent[0]!r}; it has {', '.join(table.columns)}")
    texts = {**wanted, **(optional or {})}
    nothing = pl.lit(None, dtype=pl.String)
    found = {name: pl.col(text).str.strip_chars() if text in table.columns else nothing for name, text in texts.items()}
    return table.select(pl.when(text != "").then(text).alias(name) for name, text in found.items())


def _readable(raw: RawTable) -> pl.DataFrame:
    if raw.broken.height:
        first = raw.broken.row(0, named=True)
        said = f"rows of {raw.file} that cannot be read: {raw.broken.height:,}, the first in line {first['line']}"
        if raw.rows.is_empty():
            raise DataError(f"{said} ({first['reason']}), and no other; write the file again")
        log.warning("%s (%s); they are left out", said, first["reason"])
    return raw.rows


def _read_parquet(file: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(file, glob=False)
    except (pl.exceptions.PolarsError, OSError) as reason:
        raise DataError(f"{file} is not a whole Parquet file ({reason}); fetch it again") from reason
