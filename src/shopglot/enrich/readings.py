"""The same pairs with and without their translations, to see what a model owes to them."""

from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from shopglot.core.pairs import TRANSLATED, Pairs

Reading = Literal["original", "english", "both", "other"]
READINGS: Final[tuple[Reading, ...]] = get_args(Reading)


def readings(pairs: Pairs, seed: int) -> dict[Reading, Pairs]:
    """Return the rows of `pairs`, in their order, four times: what a model may be given to read of a query.

    `original` has no translation, `english` the translation in the query's place, `both` is `pairs` as it is, and
    `other` has the translation of another query: a control that has as many words and none of the meaning. Rows
    without a translation read the same in all four.
    """
    frame, none = pairs.frame, pl.lit(None, dtype=pl.String).alias("english")
    translation = pl.when(TRANSLATED).then("english").otherwise("query").alias("query")
    return {
        "original": Pairs(frame.with_columns(none)),
        "english": Pairs(frame.with_columns(translation, none)),
        "both": pairs,
        "other": Pairs(frame.with_columns(english=other_english(pairs, seed))),
    }


def other_english(pairs: Pairs, seed: int) -> pl.Series:
    """Return for each row a translation that another query of its task and language has, drawn by `seed`.

    No row keeps its own text, except where its task and language have no second one, and where there is none at all.

    >>> from shopglot.core.pair import Pair
    >>> french = [("thé", "tea"), ("lait", "milk"), ("wok", None)]
    >>> rows = [Pair("QI", query, "a title", language="fr", english=english) for query, english in french]
    >>> other_english(Pairs.of(rows), seed=1).to_list()
    ['milk', 'tea', None]
    """
    keys, english = ["task", "language", "english"], pl.col("english")
    texts = pairs.frame.filter(TRANSLATED).select(keys).unique().sort(keys)
    drawn = texts.select(pl.all().gather(np.random.default_rng(seed).permutation(texts.height)))
    following = english.shift(-1).fill_null(english.first()).over("task", "language")
    joined = pairs.frame.join(
        drawn.with_columns(following.alias("other")), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.select(pl.when(TRANSLATED).then("other").otherwise("english").alias("english")).to_series()
