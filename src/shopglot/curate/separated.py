"""Files of separated fields: CSV and TSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.blocks import START, Block, Place, empty, text_file
from shopglot.curate.raw import QUARANTINE, WRONG_ENCODING, RawTable, as_utf8, wrong_lines

_HEADER_BYTES: Final = 2**20
_CUT_OFF: Final = "unexpected end of data"


def read_separated(path: Path, separator: str) -> RawTable:
    """Return the rows of a file whose first line names the columns; every value is text, as it stands there.

    A field that holds the separator, a line break or a quote is in double quotes. Rows with another number of fields
    than the header are set aside. Raises DataError when the header cannot be read or gives two columns the same name.
    """
    table, _ = next(separated_chunks(path, separator, None))
    return table


def separated_chunks(
    path: Path, separator: str, size: int | None, start: Place = START
) -> Iterator[tuple[RawTable, Place]]:
    """Yield the rows of each `size` bytes like `read_separated`, and the place after them; no rows give one table.

    A row that has not ended where a chunk does belongs to the next one.
    """
    header = _header(path, separator)
    begin = header.end if start == START else start
    if header.last:
        yield _rows(path, header, Block(b"", begin, last=True), separator)[0], begin
        return
    with text_file(path, begin) as text:
        last, rest = False, b""
        while not last:
            read = text.read(None if size is None else size - len(rest))
            last = read.last
            start = Place(read.start.offset - len(rest), read.start.line - rest.count(b"\n"))
            table, rest = _rows(path, header, Block(rest + read.data, start, last), separator)
            yield table, Place(read.end.offset - len(rest), read.end.line - rest.count(b"\n"))


def _header(path: Path, separator: str) -> Block:
    """Return the lines of the first row, or the first line where no row can be read."""
    with text_file(path) as text:
        beginning = text.read(_HEADER_BYTES)
    if beginning.data.isspace():
        raise empty(path)
    lines = io.BytesIO(beginning.data).readlines()
    reader = csv.reader((line.decode(errors="replace") for line in lines), delimiter=separator, strict=True)
    try:
        while not next(reader):
            pass
        data = b"".join(lines[: reader.line_num])
    except csv.Error:
        data = lines[0]
    return Block(data, beginning.start, last=beginning.last and len(data) == len(beginning.data))


def _rows(path: Path, header: Block, block: Block, separator: str) -> tuple[RawTable, bytes]:
    """Return the rows of a block below the header, and what is left of it: a row whose quotes are open at its end."""
    data, rest = header.data + block.data, b""
    cells, broken = _regular(data.rstrip(b"\r\n"), separator), QUARANTINE.to_frame()
    if cells is None:
        rest = b"" if block.last else _open_row(data, separator)
        cells, broken = _irregular(str(path), data[: len(data) - len(rest)].rstrip(b"\r\n"), separator)
    names = [name.strip() for name in cells.drop("line").row(0)]
    if len(set(names)) < len(names):
        raise DataError(f"two columns of {path} have one name among {', '.join(names)}; rename one")
    rows = cells.slice(1)
    named = rows.drop("line").rename(dict(zip(cells.columns[1:], names, strict=True)))
    between = block.start.line - header.end.line
    line = pl.col("line") + between
    return RawTable.of(str(path), named, rows.select(line).to_series(), broken.with_columns(line)), rest


def _open_row(data: bytes, separator: str) -> bytes:
    lines = io.BytesIO(data).readlines()
    texts = [line.decode(errors="replace") for line in lines]
    opened = [line for line, _, fault in _parsed(texts, separator) if fault and fault.endswith(_CUT_OFF)]
    return b"".join(lines[opened[0] - 1 :]) if opened else b""


def _regular(data: bytes, separator: str) -> pl.DataFrame | None:
    """Return the cells, header first, when every row has all its fields, else None."""
    try:
        cells = pl.read_csv(data, separator=separator, has_header=False, infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError:
        return None
    inside_fields = cells.select(pl.sum_horizontal(pl.all().str.count_matches(separator, literal=True).sum())).item()
    between_fields = cells.height * (cells.width - 1)
    breaks = cells.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True))).to_series().cast(pl.Int64)
    whole_lines = cells.height + breaks.sum() == data.count(b"\n") + 1
    if not whole_lines or data.count(separator.encode()) != between_fields + inside_fields:
        return None
    line = pl.int_range(1, cells.height + 1, eager=True) + breaks.cum_sum() - breaks
    return cells.insert_column(0, line.alias("line"))


def _irregular(file: str, data: bytes, separator: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the cells, header first, and the rows set aside, where rows span lines, are ragged or damaged."""
    readable = as_utf8(data)
    lines = io.StringIO(readable.decode(), newline="\n").readlines()
    schema = pl.Schema({"line": pl.Int64(), "fields": pl.List(pl.String()), "fault": pl.String()})
    rows = pl.DataFrame(_parsed(lines, separator), schema=schema, orient="row").filter(pl.col("fields").list.len() > 0)
    width = len(rows["fields"][0])
    text = pl.col("fields").list.join(separator)
    holder = rows["line"].search_sorted(wrong_lines(data), side="right") - 1
    damaged = pl.int_range(pl.len()).is_in(holder.implode())
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
