"""The types of the fields of JSON lines, inferred a chunk at a time as polars would from the whole file."""

import json
from pathlib import Path
from typing import Any, Final

import polars as pl
import polars.selectors as cs

from shopglot.core.errors import DataError
from shopglot.curate.json_lines import EXACT, json_chunks

_SPECIMENS: Final[dict[type[pl.DataType], Any]] = {
    pl.Boolean: True,
    pl.Int64: 1,
    pl.Int128: 2**64,
    pl.Float64: 0.5,
    pl.String: "text",
    pl.Null: None,
}


def json_schema(path: Path, size: int | None) -> pl.Schema:
    """Return the schema that the good rows of all chunks fit into; raises DataError where there is none.

    Of each chunk only its own schema is kept, as one row that has it: polars then infers from these rows.
    """
    specimens: dict[str, int] = {}
    large: set[str] = set()
    for table, _ in json_chunks(path, size):
        if table.rows.height:
            specimens.setdefault(_specimen(pl.Struct(table.rows.schema)), table.lines[0])
            large.update(_large(table.rows))
    return _inferred(path, specimens, large)


def _inferred(path: Path, specimens: dict[str, int], large: set[str]) -> pl.Schema:
    if not specimens:
        return pl.Schema()
    try:
        schema = pl.read_ndjson("\n".join(specimens).encode(), infer_schema_length=None).schema
    except pl.exceptions.PolarsError as reason:
        places = ", ".join(map(str, specimens.values()))
        raise DataError(
            f"the rows of {path} do not fit into one table: a field is of another kind from one of the lines {places} "
            f"on ({reason}); give a field one type"
        ) from reason
    as_text = [name for name in large if schema[name].is_float()]
    return pl.Schema({**schema, **dict.fromkeys(as_text, pl.String())})


def _specimen(dtype: pl.DataType) -> str:
    return json.dumps(_value(dtype))


def _value(dtype: pl.DataType) -> Any:
    if isinstance(dtype, pl.Struct):
        return {field.name: _value(field.dtype) for field in dtype.fields}  # type: ignore[arg-type]
    if isinstance(dtype, pl.List):
        return [] if dtype.inner == pl.Null else [_value(dtype.inner)]  # type: ignore[arg-type]
    return _SPECIMENS[type(dtype)]


def _large(rows: pl.DataFrame) -> list[str]:
    """Return the columns with numbers that a float cannot hold."""
    found = rows.select((cs.numeric().abs() >= EXACT).any())
    return [column.name for column in found if column[0]]
