"""Files of separated fields: CSV and TSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.raw import QUARANTINE, REPLACEMENT, WRONG_ENCODING, RawTable, as_utf8, read_bytes


def read_separated(path: Path, separator: str) -> RawTable:
    """Return the rows of a file whose first line names the columns; every value is text, as it stands there.

    A field that holds the separator, a line break or a quote is in double quotes. Rows with another number of fields
    than the header are set aside. Raises DataError when the header cannot be read or gives two columns the same name.
    """
    data = read_bytes(path).rstrip(b"\r\n")
    cells = _regular(data, separator)
    broken = QUARANTINE.to_frame()
    if cells is None:
        cells, broken = _irregular(str(path), data, separator)
    header = [name.strip() for name in cells.drop("line").row(0)]
    if len(set(header)) < len(header):
        raise DataError(f"two columns of {path} have one name among {', '.join(header)}; rename one")
    rows = cells.slice(1)
    named = rows.drop("line").rename(dict(zip(cells.columns[1:], header, strict=True)))
    return RawTable.of(str(path), named, rows["line"], broken)


def _regular(data: bytes, separator: str) -> pl.DataFrame | None:
    """Return the cells, header first, when every line is one row with all its fields, else None."""
    try:
        cells = pl.read_csv(data, separator=separator, has_header=False, infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError:
        return None
    inside_fields = cells.select(pl.sum_horizontal(pl.all().str.count_matches(separator, literal=True).sum())).item()
    between_fields = cells.height * (cells.width - 1)
    whole_lines = cells.height == data.count(b"\n") + 1
    if not whole_lines or data.count(separator.encode()) != between_fields + inside_fields:
        return None
    return cells.with_row_index("line", offset=1)


def _irregular(file: str, data: bytes, separator: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells, header first, and the rows set aside, where rows span lines, are ragged or damaged."""
    readable = as_utf8(data)
    lines = io.StringIO(readable.decode(), newline="\n").readlines()
    schema = pl.Schema({"line": pl.Int64(), "fields": pl.List(pl.String()), "fault": pl.String()})
    rows = pl.DataFrame(_parsed(lines, separator), schema=schema, orient="row").filter(pl.col("fields").list.len() > 0)
    width = len(rows["fields"][0])
    text = pl.col("fields").list.join(separator)
    damaged = pl.lit(readable is not data) & text.str.contains(REPLACEMENT, literal=True)
    ragged = pl.col("fields").list.len() != width
    judged = rows.with_columns(
        file=pl.lit(file),
        text=text,
        reason=pl.coalesce(
            "fault",
            pl.when(damaged).then(pl.lit(WRONG_ENCODING)),
            pl.when(ragged).then(
                pl.format("fields: {}, where the header names {}", pl.col("fields").list.len(), width)
            ),
        ),
    )
    if fault := judged["reason"][0]:
        raise DataError(f"the header of {file} cannot be read: {fault}; write the columns' names there in UTF-8")
    cells = [pl.col("fields").list.get(position).alias(str(position)) for position in range(width)]
    good = judged.filter(pl.col("reason").is_null()).select("line", *cells)
    return good, judged.filter(pl.col("reason").is_not_null()).select(list(QUARANTINE))


def _parsed(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield each row's first line, fields and fault; what a fault has swallowed is read again from the next line."""
    start, reader = 0, csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = start + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield line, [lines[line - 1].rstrip()], f"a field or its quotes cannot be read: {fault}"
            rest = map(lines.__getitem__, range(line, len(lines)))
            start, reader = line, csv.reader(rest, delimiter=separator, strict=True)
        else:
            yield line, fields, None
