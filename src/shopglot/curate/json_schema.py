"""The types of the fields of JSON lines, inferred a chunk at a time as polars would from the whole file."""

import json
from collections.abc import Iterable
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
Names = dict[str, "Names"]
"""The names of fields in the order in which they first appear, each with those of the objects that it holds."""


def json_schema(path: Path, size: int | None) -> pl.Schema:
    """Return the schema that the good rows of all chunks fit into, in the order in which the fields first appear.

    Raises DataError where there is no such schema. Of each chunk only its own schema is kept, as one row that has it:
    polars then infers from these rows.
    """
    specimens: dict[str, int] = {}
    names: Names = {}
    large: set[str] = set()
    for table, _ in json_chunks(path, size):
        if table.rows.height:
            here = pl.Struct(table.rows.schema)
            specimens.setdefault(json.dumps(_value(here)), table.lines[0])
            large.update(_large(table.rows))
            _add_names(names, here, table.texts)
    return _inferred(path, specimens, names, large)


def _inferred(path: Path, specimens: dict[str, int], names: Names, large: set[str]) -> pl.Schema:
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
    return pl.Schema({name: pl.String() if name in as_text else _ordered(schema[name], names[name]) for name in names})


def _value(dtype: Any) -> Any:
    if isinstance(dtype, pl.Struct):
        return {field.name: _value(field.dtype) for field in dtype.fields}
    if isinstance(dtype, pl.List):
        return [] if dtype.inner == pl.Null else [_value(dtype.inner)]
    return _SPECIMENS[type(dtype)]


def _large(rows: pl.DataFrame) -> list[str]:
    """Return the columns with numbers that a float cannot hold."""
    found = rows.select((cs.numeric().abs() >= EXACT).any())
    return [column.name for column in found if column[0]]


def _add_names(names: Names, dtype: pl.DataType, lines: Iterable[str]) -> None:
    """Add the names of the type, reading lines only until all were met; polars has them in an order of its own."""
    missing = _count(dtype) - _known(names, dtype)
    for line in lines if missing else ():
        _meet(names, json.loads(line))
        missing = _count(dtype) - _known(names, dtype)
        if not missing:
            return


def _count(dtype: Any) -> int:
    if isinstance(dtype, pl.Struct):
        return sum(1 + _count(field.dtype) for field in dtype.fields)
    return _count(dtype.inner) if isinstance(dtype, pl.List) else 0


def _known(names: Names, dtype: Any) -> int:
    if isinstance(dtype, pl.Struct):
        return sum(1 + _known(names[field.name], field.dtype) for field in dtype.fields if field.name in names)
    return _known(names, dtype.inner) if isinstance(dtype, pl.List) else 0


def _meet(names: Names, value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _meet(names, each)
    elif isinstance(value, dict):
        for name, each in value.items():
            _meet(names.setdefault(name, {}), each)


def _ordered(dtype: Any, names: Names) -> Any:
    """Return the type with the fields of its objects in the order of `names`."""
    if isinstance(dtype, pl.Struct):
        types = {field.name: field.dtype for field in dtype.fields}
        return pl.Struct({name: _ordered(types[name], names[name]) for name in names if name in types})
    return pl.List(_ordered(dtype.inner, names)) if isinstance(dtype, pl.List) else dtype
