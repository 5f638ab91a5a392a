"""Files with one JSON object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
import polars.selectors as cs

from shopglot.core.errors import DataError
from shopglot.curate.blocks import START, Block, Place, empty, text_file
from shopglot.curate.raw import QUARANTINE, WRONG_ENCODING, RawTable, as_utf8, text_lines, wrong_lines

_NO_TEXT: Final = r":\s*[\[{tf]"
_NO_TEXT_WHERE_NEEDED: Final = (
    r'"(?:id|task|language|origin_query|category_path|item_title|label|weight)"\s*' + _NO_TEXT
)
NOT_A_NUMBER: Final = "NaN and Infinity are no JSON; write null"
_NAN: Final = r":\s*-?(?:NaN|Infinity)\b"
_SURROGATE: Final = r"\\u[dD][89a-fA-F]"
_KINDS: Final = {dict: "an object", list: "a list", bool: "a truth value"}
EXACT: Final = 2.0**53  # beyond it a float stands for several whole numbers


def read_json_lines(path: Path) -> RawTable:
    """Return the rows of a file of JSON lines; blank lines are no rows, broken ones are set aside.

    A column comes back as text when its numbers are more than a float can hold. Raises DataError when the good lines
    do not fit into one table, and for a file that is one JSON array.
    """
    for table, _ in json_chunks(path, None):
        return table
    raise empty(path)


def json_chunks(
    path: Path, size: int | None, start: Place = START, schema: pl.Schema | None = None
) -> Iterator[tuple[RawTable, Place]]:
    """Yield the rows of each `size` bytes like `read_json_lines`, and the place after them.

    With the `schema` of the whole file, what a row becomes does not depend on the others of its chunk.
    """
    with text_file(path, start) as text:
        last = False
        while not last:
            block = text.read(size)
            last = block.last
            table = _table(path, block, schema)
            if table is not None:
                yield table, block.end


def _table(path: Path, block: Block, schema: pl.Schema | None) -> RawTable | None:
    readable = as_utf8(block.data)
    lines = text_lines(readable, block.start.line)
    if block.start.line == 1 and lines["text"].head(1).str.contains(r"^\s*\[").any():
        raise DataError(f"{path} is one JSON array; write an object a line, as `jq -c '.[]'` does")
    if lines.is_empty():
        return None
    rows = _rows_at_once(block.data, lines, schema)
    if rows is None:
        return _without_faults(path, lines, schema, wrong_lines(block.data, block.start.line))
    return RawTable(str(path), rows, lines["line"], lines["text"], QUARANTINE.to_frame())


def _rows_at_once(data: bytes, lines: pl.DataFrame, schema: pl.Schema | None) -> pl.DataFrame | None:
    """Return the rows when no line has a fault, else None."""
    text = pl.col("text").str
    if lines.filter(text.contains(_NO_TEXT)).filter(text.contains(_NO_TEXT_WHERE_NEEDED)).height:
        return None
    if lines.filter(text.contains(_SURROGATE)).filter(text.json_path_match("$").is_null()).height:
        return None
    try:
        return _parsed(data, schema)
    except pl.exceptions.PolarsError:
        return None


def _without_faults(path: Path, lines: pl.DataFrame, schema: pl.Schema | None, damaged: pl.Series) -> RawTable:
    """Read the lines again without those that cannot be read, for one bad line fails the whole chunk."""
    judged = lines.with_columns(file=pl.lit(str(path)), reason=_fault(damaged))
    good = judged.filter(pl.col("reason").is_null())
    broken = judged.filter(pl.col("reason").is_not_null()).select(list(QUARANTINE))
    try:
        rows = _parsed("\n".join(good["text"]).encode(), schema) if good.height else good
    except pl.exceptions.PolarsError as reason:
        misfit = _misfit(good) or reason
        raise DataError(f"the rows of {path} do not fit into one table: {misfit}; give a field one type") from reason
    return RawTable(str(path), rows, good["line"], good["text"], broken)


def _parsed(data: bytes, schema: pl.Schema | None) -> pl.DataFrame:
    if schema is not None:
        return pl.read_ndjson(data, schema=schema)
    rows = pl.read_ndjson(data, infer_schema_length=None)
    large = rows.select((cs.float().abs() >= EXACT).any())
    as_text = {column.name: pl.String() for column in large if column[0]}
    return pl.read_ndjson(data, infer_schema_length=None, schema_overrides=as_text) if as_text else rows


def _misfit(lines: pl.DataFrame) -> str | None:
    """Say which field first holds another kind of value than in an earlier row."""
    seen: dict[str, tuple[str, int]] = {}
    for line, text in lines.select("line", "text").iter_rows():
        for name, value in json.loads(text).items():
            kind = _KINDS.get(type(value), "a text or number")
            if value is not None and kind != seen.setdefault(name, (kind, line))[0]:
                return f"{name!r} is {kind} in line {line} and {seen[name][0]} in line {seen[name][1]}"
    return None


def _fault(damaged: pl.Series) -> pl.Expr:
    text = pl.col("text")
    no_json = text.str.json_path_match("$").is_null()
    no_text = "a list, an object or a truth value stands where a text or number belongs"
    return pl.coalesce(
        pl.when(pl.col("line").is_in(damaged.implode())).then(pl.lit(WRONG_ENCODING)),
        pl.when(no_json & text.str.contains(_SURROGATE)).then(pl.lit("half a surrogate pair is no character")),
        pl.when(no_json & text.str.contains(_NAN)).then(pl.lit(NOT_A_NUMBER)),
        pl.when(no_json).then(pl.lit("not valid JSON")),
        pl.when(~text.str.contains(r"^\s*\{")).then(pl.lit("not a JSON object")),
        pl.when(text.str.contains(_NO_TEXT_WHERE_NEEDED)).then(pl.lit(no_text)),
    )
