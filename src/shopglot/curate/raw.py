"""The rows of a file before anything is known about their meaning."""

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

QUARANTINE: Final = pl.Schema({"file": pl.String(), "line": pl.Int64(), "reason": pl.String(), "text": pl.String()})
"""The columns of a quarantine: where a row stands, why it was set aside, and how it begins."""

WRONG_ENCODING: Final = "not valid UTF-8"
REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, eq=False, slots=True)
class RawTable:
    """The rows of one file under the file's own column names.

    `lines` has the number of each row's first line, counted from 1 (in Parquet, of the row), `texts` that line
    where rows are JSON and null elsewhere, `broken` the lines that hold no row, with the columns of `QUARANTINE`.
    """

    file: str
    rows: pl.DataFrame
    lines: pl.Series
    texts: pl.Series
    broken: pl.DataFrame

    @classmethod
    def of(cls, file: str, rows: pl.DataFrame, lines: pl.Series, broken: pl.DataFrame | None = None) -> Self:
        """Return a table of rows that have no line of text of their own."""
        texts = pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
        return cls(file, rows, lines.cast(pl.Int64), texts, QUARANTINE.to_frame() if broken is None else broken)


def text_lines(data: bytes, first: int = 1) -> pl.DataFrame:
    """Return the lines that are not blank, with their numbers from `first`, in the columns line and text."""
    numbered = pl.read_lines(data, name="text", row_index_name="line", row_index_offset=first)
    return numbered.filter(pl.col("text").str.strip_chars() != "").cast({"line": pl.Int64})


def as_utf8(data: bytes) -> bytes:
    """Return `data` itself when it is valid UTF-8, otherwise a copy with `REPLACEMENT` for each wrong byte."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def wrong_lines(data: bytes, first: int = 1) -> pl.Series:
    """Return the numbers of the lines that are not valid UTF-8, counted from `first`."""
    lines = data.split(b"\n") if as_utf8(data) is not data else []
    wrong = [number for number, line in enumerate(lines, first) if as_utf8(line) is not line]
    return pl.Series("line", wrong, dtype=pl.Int64)
