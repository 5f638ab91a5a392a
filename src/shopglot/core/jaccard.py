"""How much two texts share, as expressions over columns."""

from collections.abc import Callable

import polars as pl


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


def jaccard(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return the share of common members among all members of two lists of distinct ones; 0 when both are empty."""
    return _share(one, other, lambda common: one.list.len() + other.list.len() - common)


def containment(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return the share of the members of `one` that `other` has too; 0 when `one` is empty."""
    return _share(one, other, lambda _: one.list.len())


def _share(one: pl.Expr, other: pl.Expr, whole: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    common = one.list.set_intersection(other).list.len()
    return (common / whole(common)).fill_nan(0.0).fill_null(0.0)
