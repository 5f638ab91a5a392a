"""How much two columns of texts share."""

from collections.abc import Callable

import polars as pl

Members = Callable[[pl.Expr], pl.Expr]
"""Turns a column of texts into lists of their distinct members."""


def words(text: pl.Expr) -> pl.Expr:
    """Return the list of distinct words of each text."""
    return text.str.extract_all(r"\w+").list.unique()


def ngrams(text: pl.Expr, size: int) -> pl.Expr:
    """Return the list of distinct character n-grams of each text, with a space at either end.

    >>> pl.select(ngrams(pl.lit("tea"), 3).list.sort()).item().to_list()
    [' te', 'ea ', 'tea']
    """
    padded = pl.format(" {} ", text)
    starts = [padded.str.slice(start).str.extract_all(rf"(?s).{{{size}}}") for start in range(size)]
    return pl.concat_list(starts).list.unique()


def overlap(one: pl.Series, other: pl.Series, members: Members) -> pl.DataFrame:
    """Return per row `jaccard`, the share of common members among all, and `contained`, that among those of `one`.

    Both are 0 where there is nothing to share. The members of a text are found once, however often it stands there.

    >>> overlap(pl.Series(["red tea"]), pl.Series(["tea, green"]), words).row(0)
    (0.3333333333333333, 0.5)
    """
    pairs = _with_members(one, members, "one").hstack(_with_members(other, members, "other"))
    common, first, second = pl.col("common"), pl.col("one").list.len(), pl.col("other").list.len()
    counted = pairs.with_columns(common=pl.col("one").list.set_intersection("other").list.len())
    shares = {"jaccard": common / (first + second - common), "contained": common / first}
    return counted.select(share.fill_nan(0.0).fill_null(0.0).alias(name) for name, share in shares.items())


def _with_members(texts: pl.Series, members: Members, name: str) -> pl.DataFrame:
    distinct = texts.unique().to_frame("text")
    found = distinct.with_columns(members(pl.col("text")).list.eval(pl.element().hash()).alias(name))
    return texts.to_frame("text").join(found, on="text", how="left", maintain_order="left").select(name)
