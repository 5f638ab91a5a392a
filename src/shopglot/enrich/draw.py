"""Numbers that look random and follow from a pair's id alone."""

from hashlib import blake2b
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Draws = NDArray[np.float64]
"""Shape (rows, numbers), each number in [0, 1)."""

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def hashed(ids: pl.Series, seed: int) -> NDArray[np.uint64]:
    """Return a number per id that is the same beside other ids, in another order and on another machine."""
    salted = blake2b(f"{seed}\n".encode(), digest_size=8)
    digests = []
    for text in ids.to_list():
        digest = salted.copy()
        digest.update(text.encode())
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), "<u8")


def draws(hashes: NDArray[np.uint64], what: str, count: int) -> Draws:
    """Return `count` numbers per hash, others for each name of `what` they are drawn for.

    Mixed as in SplitMix64 (Steele et al. 2014).

    >>> draws(hashed(pl.Series(["QC-1", "QC-2"]), seed=7), "typo", 2).round(3).tolist()
    [[0.759, 0.657], [0.275, 0.442]]
    """
    salt = np.frombuffer(blake2b(what.encode(), digest_size=8).digest(), "<u8")
    mixed = (hashes ^ salt)[:, None] + np.arange(1, count + 1, dtype=np.uint64) * _STEP
    for shift, factor in _MIX:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    whole = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)
    drawn: Draws = whole.astype(np.float64) * 2.0**-53
    return drawn
