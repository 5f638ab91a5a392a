"""Queries in two languages at once, as bilingual shoppers type them."""

from typing import Final

import polars as pl

from shopglot.enrich.draw import Draws

NOUN_FIRST: Final = ("ar", "ca", "es", "fa", "fr", "he", "id", "it", "ms", "pl", "pt", "ro", "sw", "th", "vi")
"""Languages whose queries mostly name the product before its attributes."""

_COMPOUNDING: Final = ("da", "de", "nl", "no", "sv")
"""Languages that put the product in one word, mostly the longest of the query."""

_UNSPACED: Final = r"[\p{Hiragana}\p{Katakana}\p{Han}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Letters of scripts that put no spaces between words."""

_FROM_PREPOSITION: Final = r" (?:for|with|without|in|of|from|to|by|and)(?: .*)?$"
_NAMES_NO_PRODUCT: Final = (
    r"(?: (?:\S*\d\S*|cm|mm|ml|kg|met(?:er|re)s?|lit(?:er|re)s?|free|shipping|sale|price|cheap|low|new|best|quality"
    r"|size|small|medium|large))+$"
)


def code_mixed(rows: pl.DataFrame, _: Draws) -> pl.DataFrame:
    """Return the rows with one word of the query in English; null where `english` gives no word for it.

    Only a translation of the whole query is known, so the word is guessed: the last word of the English that can name
    the product takes the place of the word that most likely names it in the query, which is the first in `NOUN_FIRST`
    languages and the last in others, in German and its kin the longer of both. It is written behind queries without
    spaces. Beside a query of one word stands the first word of the English instead. Words with digits stay.
    """
    query = pl.col("query").str.strip_chars().str.split(" ")
    english = pl.col("english").str.replace(_FROM_PREPOSITION, "").str.replace(_NAMES_NO_PRODUCT, "").str.split(" ")
    noun, modifier = english.list.last(), pl.when(english.list.len() > 1).then(english.list.first())
    unspaced, one_word = pl.col("query").str.contains(_UNSPACED), query.list.len() == 1
    first, last = query.list.first(), query.list.last()
    noun_first = pl.col("language").is_in(NOUN_FIRST).fill_null(value=False)
    longer = pl.col("language").is_in(_COMPOUNDING) & (first.str.len_chars() > last.str.len_chars())
    names_first = noun_first | longer.fill_null(value=False)
    beside = pl.when(noun_first).then(pl.concat_list(query, modifier)).otherwise(pl.concat_list(modifier, query))
    replaced = (
        pl.when(pl.when(names_first).then(first).otherwise(last).str.contains(r"\d"))
        .then(None)
        .when(names_first)
        .then(pl.concat_list(noun, query.list.slice(1)))
        .otherwise(pl.concat_list(query.list.head(query.list.len() - 1), noun))
    )
    mixed = pl.when(unspaced).then(pl.concat_list(query, noun)).when(one_word).then(beside).otherwise(replaced)
    word = pl.when(one_word & ~unspaced).then(modifier).otherwise(noun)
    new = word.str.contains(r"^\pL{2}") & ~query.list.contains(word) & pl.col("query").str.contains(r"\pL")
    return rows.with_columns(query=pl.when(new).then(mixed.list.join(" ")))
