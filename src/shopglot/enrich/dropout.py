"""Training without some of the translations, so that one model works with and without them."""

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.enrich.draw import draws, hashed


def drop_translations(pairs: Pairs, rate: float, seed: int) -> Pairs:
    """Return the pairs in their order, the share `rate` of those that have `english` without it.

    Whether a pair loses it follows from its id and the seed, so the order of the rows and the other rows do not matter.
    """
    lost = pl.Series(draws(hashed(pairs["id"], seed), "translation dropout", 1)[:, 0] < rate)
    return Pairs(pairs.frame.with_columns(english=pl.when(~lost).then("english")))
