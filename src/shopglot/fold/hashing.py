"""A seeded hash that stays the same on every machine and with every version of every library."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_BASE: Final = np.uint64(0x100000001B3)


def unit_hash(texts: pl.Series, *seed: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) per text, uniform over the seeds; polars' own hash changes with its version.

    The bytes of a text are the digits of a number modulo 2⁶⁴, mixed as in SplitMix64 (Steele et al. 2014).

    >>> unit_hash(pl.Series(["tea", "té"]), 7).round(6).tolist()
    [0.174594, 0.91524]
    """
    lengths = texts.str.len_bytes().to_numpy().astype(np.int64) + 1  # with a line's end, so that none is empty
    if not len(lengths):
        return np.empty(0)
    digits = np.frombuffer(("\n".join(texts.to_list()) + "\n").encode(), dtype=np.uint8)
    starts = np.cumsum(lengths) - lengths
    powers = np.cumprod(np.full(lengths.max(), _BASE))
    places = np.arange(len(digits)) - np.repeat(starts, lengths)
    mixed = np.add.reduceat(digits * powers[places], starts)
    mixed ^= np.random.SeedSequence(seed).generate_state(1, np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53)
