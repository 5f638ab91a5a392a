"""Numbers that look random and follow from a pair's id alone."""

from hashlib import blake2b
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

COUNT: Final = 4
"""Numbers per id."""

Draws = NDArray[np.float64]
"""Shape (rows, COUNT), each number in [0, 1)."""


def draws(ids: pl.Series, seed: int, what: str) -> Draws:
    """Return `COUNT` numbers per id that are the same beside other ids, in another order and on another machine.

    Each `seed` and each name of `what` is drawn for gives others.

    >>> draws(pl.Series(["QC-1", "QC-2"]), 7, "typo").round(3).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    salted = blake2b(f"{seed} {what}\n".encode(), digest_size=8 * COUNT)
    digests = []
    for text in ids:
        digest = salted.copy()
        digest.update(text.encode())
        digests.append(digest.digest())
    whole = np.frombuffer(b"".join(digests), "<u8").reshape(-1, COUNT) >> np.uint64(11)
    return whole.astype(np.float64) * 2.0**-53
