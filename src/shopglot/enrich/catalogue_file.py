"""Tables of a shop as it keeps them: CSV, TSV, JSON lines or Parquet, whatever their columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.json_lines import read_json_lines
from shopglot.curate.separated import read_separated

ATTRIBUTE: Final = "attribute:"
"""Prefix of the columns that hold what a catalogue says of an item beside its title and category."""


def read_table(path: Path) -> pl.DataFrame:
    """Return the rows of a file with a header, all as text; rows that cannot be read are left out.

    Raises DataError for a file that is absent or damaged, and for a name that says no format.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    match Path(path.name.removesuffix(".gz")).suffix.lower():
        case ".csv":
            rows = read_separated(path, ",").rows
        case ".tsv":
            rows = read_separated(path, "\t").rows
        case ".json" | ".jsonl":
            rows = read_json_lines(path).rows
        case ".parquet":
            rows = _read_parquet(path)
        case _:
            raise DataError(f"the name of {path} says no format; end it in .csv, .tsv, .jsonl (also .gz) or .parquet")
    flat = [name for name, dtype in rows.schema.items() if not dtype.is_nested() and dtype != pl.Binary]
    return rows.select(pl.col(flat).cast(pl.String))


def columns_of(table: pl.DataFrame, path: Path, wanted: Mapping[str, str], optional: Mapping[str, str]) -> pl.DataFrame:
    """Return columns under other names: `wanted` and `optional` map each new name to that in the file.

    Blank texts are null, and so is an optional column that is absent. Raises DataError for a wanted one that is.
    """
    for name, column in wanted.items():
        if column not in table.columns:
            raise DataError(f"{path} has no column {column!r} for the {name}; it has {', '.join(table.columns)}")
    present = {name: column for name, column in {**wanted, **optional}.items() if column in table.columns}
    text = {name: pl.col(column).str.strip_chars() for name, column in present.items()}
    filled = [pl.when(column != "").then(column).alias(name) for name, column in text.items()]
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in optional if name not in present]
    return table.select(*filled, *absent)
