"""Text files in blocks of whole lines, so that a file of any size takes little memory."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

from shopglot.core.errors import DataError

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next row of a file begins: `offset` in bytes (of the unpacked text) or Parquet rows, `line` from 1."""

    offset: int = 0
    line: int = 1


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file, the first of which begins at `start`; `last` when nothing follows."""

    data: bytes
    start: Place
    last: bool

    @property
    def end(self) -> Place:
        """Where the block after this one begins."""
        return Place(self.start.offset + len(self.data), self.start.line + self.data.count(b"\n"))


@dataclass(slots=True)
class TextFile:
    """An open file of text, unpacked, and the place up to which it was read."""

    stream: BufferedReader
    place: Place

    def read(self, size: int | None) -> Block:
        """Return the next `size` bytes, and what is missing of their last line; None: all that is left."""
        data = self.stream.read() if size is None else self.stream.read(max(1, size))
        if data and not data.endswith(b"\n"):
            data += self.stream.readline()
        block = Block(data, self.place, last=not self.stream.peek(1))
        self.place = block.end
        return block


@contextmanager
def text_file(path: Path, start: Place = START) -> Iterator[TextFile]:
    """Open a text file at `start`, unpacked where its name ends in .gz and without a byte-order mark.

    Raises DataError when it is empty, cut off or in UTF-16.
    """
    try:
        with cast("BufferedReader", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as stream:
            beginning = _after_mark(path, stream) if start == START else start
            stream.seek(beginning.offset)
            yield TextFile(stream, beginning)
    except (EOFError, gzip.BadGzipFile, zlib.error) as reason:
        raise DataError(f"{path} is not a whole gzip file ({reason}); fetch it again") from reason


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file as `text_file` reads them; one of blank lines is empty too."""
    with text_file(path) as text:
        data = text.read(None).data
    if data.isspace():
        raise empty(path)
    return data


def empty(path: Path) -> DataError:
    """Return what is said of a file without a text."""
    return DataError(f"{path} is empty; see what should have written it")


def _after_mark(path: Path, stream: BufferedReader) -> Place:
    first = stream.read(4)
    if first.startswith(_UTF_16) or b"\0" in first:
        raise DataError(f"{path} is in UTF-16; save it as UTF-8")
    mark = len(codecs.BOM_UTF8) if first.startswith(codecs.BOM_UTF8) else 0
    if not first[mark:]:
        raise empty(path)
    return Place(mark)
