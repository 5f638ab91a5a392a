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
            # As much as a reader that begins at the open row would read, unless that row fills most of a chunk.
            read = text.read(None if size is None else max(size - len(rest), size // 2))
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
    data = header.data + block.data
    cells, broken, opened = _regular(data.rstrip(b"\r\n"), separator), QUARANTINE.to_frame(), None
    if cells is None:
        cells, broken, opened = _irregular(str(path), data.rstrip(b"\r\n"), separator, last=block.last)
    names = [name.strip() for name in cells.drop("line").row(0)]
    if len(set(names)) < len(names):
        raise DataError(f"two columns of {path} have one name among {', '.join(names)}; rename one")
    rows = cells.slice(1)
    named = rows.drop("line").rename(dict(zip(cells.columns[1:], names, strict=True)))
    line = pl.col("line") + (block.start.line - header.end.line)
    table = RawTable.of(str(path), named, rows.select(line).to_series(), broken.with_columns(line))
    return table, b"" if opened is None else data.split(b"\n", opened - 1)[-1]


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
    return cells.with_row_index("line", offset=1) if _closed(data.rsplit(b"\n", 1)[-1], separator) else None


def _closed(row: bytes, separator: str) -> bool:
    """Return whether the quotes of a row are closed; polars closes those that the end of the data leaves open."""
    try:
        list(csv.reader([row.decode(errors="replace")], delimiter=separator, strict=True))
    except csv.Error:
        return False
    return True


def _irregular(file: str, data: bytes, separator: str, *, last: bool) -> tuple[pl.DataFrame, pl.DataFrame, int | None]:
    """Return the cells, header first, and the rows set aside, where rows are ragged or damaged.

    Where the data is not the `last` of the file, a row that is open at its end is in neither, but the line it begins in
    is returned.
    """
    readable = as_utf8(data)
    lines = io.StringIO(readable.decode(), newline="\n").readlines()
    schema = pl.Schema({"line": pl.Int64(), "fields": pl.List(pl.String()), "fault": pl.String()})
    rows = pl.DataFrame(_parsed(lines, separator), schema=schema, orient="row").filter(pl.col("fields").list.len() > 0)
    holder = rows["line"].search_sorted(wrong_lines(data), side="right") - 1
    rows = rows.with_columns(damaged=pl.int_range(pl.len()).is_in(holder.implode()))
    cut_off = rows.filter(pl.col("fault").str.ends_with(_CUT_OFF) & (not last))["line"]
    opened: int | None = cut_off[0] if len(cut_off) else None
    if opened is not None:
        rows = rows.filter(pl.col("line") < opened)
    width = len(rows["fields"][0])
    text = pl.col("fields").list.join(separator)
    ragged = pl.col("fields").list.len() != width
    judged = rows.with_columns(
        file=pl.lit(file),
        text=text,
        reason=pl.coalesce(
            "fault",
            pl.when("damaged").then(pl.lit(WRONG_ENCODING)),
            pl.when(ragged).then(
                pl.format("fields: {}, where the header names {}", pl.col("fields").list.len(), width)
            ),
        ),
    )
    if fault := judged["reason"][0]:
        raise DataError(f"the header of {file} cannot be read: {fault}; write the columns' names there in UTF-8")
    cells = [pl.col("fields").list.get(position).alias(str(position)) for position in range(width)]
    good = judged.filter(pl.col("reason").is_null()).select("line", *cells)
    return good, judged.filter(pl.col("reason").is_not_null()).select(list(QUARANTINE)), opened


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
