"""Lists of integers as flat arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Rows = NDArray[np.int64]

_FEW: Final = 16
"""With fewer rows, a loop takes less time than a query of polars needs to begin."""


@dataclass(frozen=True, eq=False, slots=True)
class Lists:
    """One list of integers per row, flat: row r has `values[starts[r] : starts[r] + lengths[r]]`."""

    values: Rows
    starts: Rows
    lengths: Rows

    @classmethod
    def of(cls, column: pl.Series) -> "Lists":
        """Return a column of lists, where null is an empty one."""
        if len(column) < _FEW:
            rows = [row or [] for row in column.to_list()]
            lengths = np.array([len(row) for row in rows], dtype=np.int64)
            values = np.array([value for row in rows for value in row], dtype=np.int64)
            return cls(values, np.cumsum(lengths) - lengths, lengths)
        lists, column_of = column.alias("list").to_frame(), pl.col("list")
        lengths = lists.select(column_of.list.len().fill_null(0)).to_series().to_numpy().astype(np.int64)
        values = lists.select(column_of.explode().drop_nulls()).to_series().to_numpy().astype(np.int64)
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    def take(self, rows: Rows) -> "Lists":
        """Return the lists of `rows`, in that order."""
        lengths = self.lengths[rows]
        ends = np.cumsum(lengths)
        offsets = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
        return Lists(self.values[np.repeat(self.starts[rows], lengths) + offsets], ends - lengths, lengths)

    def owners(self) -> Rows:
        """Return the row that each value belongs to."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)
