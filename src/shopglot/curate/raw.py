"""The rows of a file before anything is known about their meaning."""

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from shopglot.core.errors import DataError

QUARANTINE: Final = pl.Schema({"file": pl.String(), "line": pl.Int64(), "reason": pl.String(), "text": pl.String()})
"""The columns of a quarantine: where a row stands, why it was set aside, and how it begins."""

WRONG_ENCODING: Final = "not valid UTF-8"
REPLACEMENT: Final = "\ufffd"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a text file, unpacked where its name ends in .gz, without a byte-order mark.

    Raises DataError when it is empty, cut off or in UTF-16.
    """
    data = path.read_bytes()
    if path.suffix == ".gz" and data:
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as reason:
            raise DataError(f"{path} is not a whole gzip file ({reason}); fetch it again") from reason
    if data.startswith(_UTF_16) or b"\0" in data[:4]:
        raise DataError(f"{path} is in UTF-16; save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data or data.isspace():
        raise DataError(f"{path} is empty; see what should have written it")
    return data


def text_lines(data: bytes) -> pl.DataFrame:
    """Return the lines that are not blank, with their numbers from 1, in the columns line and text."""
    numbered = pl.read_lines(data, name="text", row_index_name="line", row_index_offset=1)
    return numbered.filter(pl.col("text").str.strip_chars() != "").cast({"line": pl.Int64})


def as_utf8(data: bytes) -> bytes:
    """Return `data` itself when it is valid UTF-8, otherwise a copy with `REPLACEMENT` for each wrong byte."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data
