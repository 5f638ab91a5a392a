"""Files of pairs in clean chunks, so that a file of any size takes little memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.blocks import START, Place
from shopglot.curate.raw import RawTable
from shopglot.curate.read import judged_rows, raw_chunks
from shopglot.serve.files.engine import Engine
from shopglot.serve.files.survey import Survey


@dataclass(frozen=True, slots=True)
class Cursor:
    """The file, by its number, and the place in it from which on nothing has been read."""

    file: int = 0
    place: Place = START


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """Clean pairs in the order of the files, with the own columns of all files.

    `counts` are the rows of each flag, and `after` is where the next chunk begins.
    """

    pairs: Pairs
    counts: dict[str, int]
    after: Cursor


def clean_chunks(files: Sequence[Path], found: Survey, engine: Engine, size: int, start: Cursor) -> Iterator[Chunk]:
    """Yield the pairs of all files from `start` on, in chunks of about `size` bytes of text."""
    for number in range(start.file, len(files)):
        place = start.place if number == start.file else START
        for table, after in raw_chunks(files[number], size, place, found.schemas[number]):
            if cleaned := clean_table(table, found.own, engine):
                yield Chunk(*cleaned, Cursor(number, after))


def clean_table(table: RawTable, own: pl.DataFrame, engine: Engine) -> tuple[Pairs, dict[str, int]] | None:
    """Return the clean pairs of a table with the columns `own` too, and the rows of each flag; None without a pair."""
    kept, _ = judged_rows(table, engine.curate, None, training=False)
    if not kept.height:
        return None
    raw = kept.drop("file", "line", "text", "reason")
    return engine.clean(Pairs.from_frame(pl.concat([own, raw], how="diagonal_relaxed")))
