"""What was computed of earlier rows, found again by the rows' content; a table of bounded size."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

KEY: Final = ("key", "check")
"""Two hashes of 64 bits: rows that agree in both are taken for equal."""
_SEEDS: Final = (17, 91)
_PARTS: Final = 8

Rows = NDArray[np.int64]


def keys_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns `KEY` of each row; the same row has the same in every process with this version of polars."""
    return pl.DataFrame({name: rows.hash_rows(seed) for name, seed in zip(KEY, _SEEDS, strict=True)})


class Remembered:
    """Values by key, at most `limit` of them: where more come, the oldest eighth is forgotten.

    >>> memory, keys = Remembered(limit=10), keys_of(pl.DataFrame({"query": ["tea", "mug"]}))
    >>> memory.remember(keys.with_columns(score=pl.Series([0.9, 0.1])))
    >>> rows, values = memory.recall(keys_of(pl.DataFrame({"query": ["pot", "mug"]})))
    >>> rows.tolist(), values["score"].to_list()
    ([1], [0.1])
    """

    def __init__(self, limit: int) -> None:
        """Begin with nothing."""
        self.limit = limit
        self._runs: list[pl.DataFrame] = []  # each in the order of its keys, the oldest run first

    def __len__(self) -> int:
        """Return how many values are kept."""
        return sum(run.height for run in self._runs)

    def recall(self, keys: pl.DataFrame) -> tuple[Rows, pl.DataFrame]:
        """Return which of the rows of `keys` are known, and the values of these rows."""
        unknown: Rows = np.arange(keys.height)
        rows, values = [unknown[:0]], []
        for run in reversed(self._runs):
            wanted = keys[unknown]
            at = run["key"].search_sorted(wanted["key"]).clip(upper_bound=run.height - 1)
            found = run[at]
            hit = ((found["key"] == wanted["key"]) & (found["check"] == wanted["check"])).to_numpy()
            rows.append(unknown[hit])
            values.append(found.filter(hit).drop(KEY))
            unknown = unknown[~hit]
        return np.concatenate(rows), pl.concat(values) if values else pl.DataFrame()

    def remember(self, table: pl.DataFrame) -> None:
        """Keep the values of rows that are new: the columns `KEY`, and any others, which are the same at each call."""
        if table.is_empty():
            return
        self._runs.append(table.sort("key"))
        # Each value is merged a few times at most, for a run takes in the one before only when that is not much larger.
        while len(self._runs) > 1 and self._runs[-2].height <= 2 * self._runs[-1].height <= self.limit // _PARTS:
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(pl.concat([before, last]).sort("key"))
        while len(self) > self.limit and len(self._runs) > 1:
            del self._runs[0]


def in_order(rows: Sequence[Rows], values: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the values in the order of the rows that they are said to be of, which are all from 0 up."""
    given = [table for own, table in zip(rows, values, strict=True) if len(own)]
    return pl.concat(given)[np.argsort(np.concatenate(rows))]
