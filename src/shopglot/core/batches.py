"""Batches of texts of like length under a token budget, so that little padding is computed."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def by_length(lengths: Rows, *, budget: int) -> Iterator[Rows]:
    """Yield the rows in batches, longest first, so that rows times the longest length stay within `budget`.

    The longest come first so that memory is highest at the start. A row longer than the budget is a batch alone.

    >>> [batch.tolist() for batch in by_length(np.array([2, 9, 3]), budget=9)]
    [[1], [2, 0]]
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size
