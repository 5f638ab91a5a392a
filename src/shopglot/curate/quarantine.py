"""Rows set aside are counted and written down, so that they can be mended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.curate.read import Reading


def check_bad_share(reading: Reading, limit: float, written: Path | None = None) -> None:
    """Raise DataError when more than the share `limit` of the rows was set aside; `written` is the quarantine file."""
    if bad := reading.quarantine.height:
        refuse_bad_share(bad, reading.rows, limit, reading.quarantine.row(0, named=True), written)


def refuse_bad_share(bad: int, rows: int, limit: float, first: Mapping[str, Any], written: Path | None) -> None:
    """Raise DataError when `bad` of `rows` are more than the share `limit`; `first` is the first of them."""
    if bad <= limit * rows:
        return
    listed = f"; all are listed in {written}" if written else ""
    raise DataError(
        f"{bad} of {rows} rows are bad, more than {limit:.1%}, the first in {first['file']} line "
        f"{first['line']}: {first['reason']}{listed}; mend them or allow more with --max-bad-rows"
    )


def write_quarantine(frame: pl.DataFrame, path: Path) -> None:
    """Write the rows set aside as JSON lines, the whole file or none."""
    with whole_file(path) as part:
        frame.write_ndjson(part)
