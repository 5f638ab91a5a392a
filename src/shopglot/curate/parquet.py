"""Parquet files, whole or a slice of rows at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.blocks import START, Place
from shopglot.curate.raw import RawTable

_BYTES_PER_ROW: Final = 256
"""What a row of pairs takes as text, so that chunks are alike in all formats."""


def parquet_chunks(
    path: Path, size: int | None, start: Place = START, stop: int | None = None
) -> Iterator[tuple[RawTable, Place]]:
    """Yield the rows in slices that as text would take `size` bytes, and the place after each; None: all at once.

    They are the rows from `start` on, before the row `stop` where one is given.
    Raises DataError for a file that is cut off, and for columns of bytes.
    """
    lazy, height = _opened(path)
    height = height if stop is None else min(stop, height)
    step = max(1, height) if size is None else rows_in(size)
    with _whole(path):
        for offset in range(start.offset, max(height, 1), step):
            rows = lazy.slice(offset, min(step, height - offset)).collect()
            lines = pl.int_range(offset + 1, offset + 1 + rows.height, eager=True)
            yield RawTable.of(str(path), rows, lines), Place(offset + rows.height, offset + rows.height + 1)


def rows_in(size: int) -> int:
    """Return how many rows a chunk of `size` bytes has."""
    return max(1, size // _BYTES_PER_ROW)


def parquet_height(path: Path) -> int:
    """Return how many rows a file has; raises DataError like `parquet_chunks`."""
    return _opened(path)[1]


def _opened(path: Path) -> tuple[pl.LazyFrame, int]:
    with _whole(path):
        lazy = pl.scan_parquet(path, glob=False)
        schema, height = lazy.collect_schema(), lazy.select(pl.len()).collect().item()
    if of_bytes := [name for name, dtype in schema.items() if "Binary" in str(dtype)]:
        raise DataError(f"{path} holds bytes in {', '.join(of_bytes)}; write text there, or leave such columns out")
    return lazy, height


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as reason:
        raise DataError(f"{path} is not a whole Parquet file ({reason}); fetch it again") from reason
