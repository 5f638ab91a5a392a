"""Rows set aside are counted and written down, so that they can be mended."""

from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.curate.read import Reading


def check_bad_share(reading: Reading, limit: float, written: Path | None = None) -> None:
    """Raise DataError when more than the share `limit` of the rows was set aside; `written` is the quarantine file."""
    bad = reading.quarantine.height
    if bad <= limit * reading.rows:
        return
    first = reading.quarantine.row(0, named=True)
    listed = f"; all are listed in {written}" if written else ""
    raise DataError(
        f"{bad} of {reading.rows} rows are bad, more than {limit:.1%}, the first in {first['file']} line "
        f"{first['line']}: {first['reason']}{listed}; mend them or allow more with --max-bad-rows"
    )


def write_quarantine(frame: pl.DataFrame, path: Path) -> None:
    """Write the rows set aside as JSON lines, the whole file or none."""
    with whole_file(path) as part:
        frame.write_ndjson(part)
