"""Files with one JSON object a line."""

from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.raw import QUARANTINE, REPLACEMENT, WRONG_ENCODING, RawTable, as_utf8, read_bytes

_NO_TEXT: Final = r":\s*[\[{tf]"
_NO_TEXT_WHERE_NEEDED: Final = (
    r'"(?:id|task|language|origin_query|category_path|item_title|label|weight)"\s*' + _NO_TEXT
)


def read_json_lines(path: Path) -> RawTable:
    """Return the rows of a file of JSON lines; blank lines are no rows, broken ones are set aside.

    Raises DataError when the good lines do not fit into one table.
    """
    data = read_bytes(path)
    readable = as_utf8(data)
    numbered = pl.read_lines(readable, name="text", row_index_name="line", row_index_offset=1)
    lines = numbered.filter(pl.col("text").str.strip_chars() != "").cast({"line": pl.Int64})
    rows = _rows_at_once(data, lines)
    if rows is None:
        return _without_faults(path, lines, damaged=readable is not data)
    return RawTable(str(path), rows, lines["line"], lines["text"], QUARANTINE.to_frame())


def _rows_at_once(data: bytes, lines: pl.DataFrame) -> pl.DataFrame | None:
    """Return the rows when no line has a fault, else None."""
    text = pl.col("text").str
    if lines.filter(text.contains(_NO_TEXT)).filter(text.contains(_NO_TEXT_WHERE_NEEDED)).height:
        return None
    try:
        return pl.read_ndjson(data, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return None


def _without_faults(path: Path, lines: pl.DataFrame, *, damaged: bool) -> RawTable:
    """Read the lines again without those that cannot be read, for one bad line fails the whole file."""
    judged = lines.with_columns(file=pl.lit(str(path)), reason=_fault(damaged=damaged))
    good = judged.filter(pl.col("reason").is_null())
    broken = judged.filter(pl.col("reason").is_not_null()).select(list(QUARANTINE))
    try:
        rows = pl.read_ndjson("\n".join(good["text"]).encode(), infer_schema_length=None) if good.height else good
    except pl.exceptions.PolarsError as reason:
        raise DataError(f"the rows of {path} do not fit into one table: {reason}; give a field one type") from reason
    return RawTable(str(path), rows, good["line"], good["text"], broken)


def _fault(*, damaged: bool) -> pl.Expr:
    text = pl.col("text")
    no_text = "a list, an object or a truth value stands where a text or number belongs"
    return pl.coalesce(
        pl.when(pl.lit(damaged) & text.str.contains(REPLACEMENT, literal=True)).then(pl.lit(WRONG_ENCODING)),
        pl.when(text.str.json_path_match("$").is_null()).then(pl.lit("not valid JSON")),
        pl.when(~text.str.contains(r"^\s*\{")).then(pl.lit("not a JSON object")),
        pl.when(text.str.contains(_NO_TEXT_WHERE_NEEDED)).then(pl.lit(no_text)),
    )
