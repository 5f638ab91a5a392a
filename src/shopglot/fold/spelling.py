"""One form for all spellings of a text."""

from collections.abc import Callable
from typing import Final

import polars as pl

# Only accents go: in Thai, Hindi or Japanese a combining mark is a vowel or makes another letter.
_ACCENTS: Final = r"[\u{300}-\u{36f}\u{591}-\u{5c7}\u{640}\u{64b}-\u{65f}\u{670}]"
_BETWEEN_WORDS: Final = r"[^\p{L}\p{M}\p{N}]+"
_LETTERS: Final = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "ς": "σ"}


def spelling(texts: pl.Expr) -> pl.Expr:
    """Return what all spellings of a text share: no case, accents, punctuation, spaces or compatibility forms.

    A text of nothing but punctuation keeps it. Letters are decomposed (NFKD).

    >>> texts = pl.Series(["Écouteurs sans-fil", "ＥＣＯＵＴＥＵＲＳ sansfil", "ﾜｲﾔﾚｽ", "%"])
    >>> pl.select(spelling(texts)).to_series().to_list()
    ['ecouteurssansfil', 'ecouteurssansfil', 'ワイヤレス', '%']
    """
    letters = _folded(texts).str.replace_all(_BETWEEN_WORDS, "")
    return pl.when(letters == "").then(texts.str.strip_chars()).otherwise(letters)


def sorted_words(texts: pl.Expr) -> pl.Expr:
    """Return the words of a text in alphabetical order, without case, accents and punctuation.

    >>> pl.select(sorted_words(pl.lit("Red dress, WOMEN"))).item()
    'dress red women'
    """
    spaced = _folded(texts).str.replace_all(_BETWEEN_WORDS, " ").str.normalize("NFKC").str.strip_chars()
    return spaced.str.split(" ").list.sort().list.join(" ")


def each_once(texts: pl.Series, form: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """Return the form of each text, worked out once per distinct text."""
    distinct = texts.unique().to_frame("text").with_columns(form=form(pl.col("text")))
    return texts.to_frame("text").join(distinct, on="text", how="left", maintain_order="left")["form"]


def _folded(texts: pl.Expr) -> pl.Expr:
    return texts.str.normalize("NFKD").str.to_lowercase().str.replace_all(_ACCENTS, "").str.replace_many(_LETTERS)
