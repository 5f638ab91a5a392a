"""Queries in other words or in another language, by a translator."""

from typing import Final

import polars as pl

from shopglot.curate.clean import clean_texts
from shopglot.enrich.code_mix import NOUN_FIRST
from shopglot.enrich.translator import Translate

ENGLISH: Final = "en"
WORD_ORDER: Final = "paraphrase by word order"

_FEW_WORDS: Final = r"^(?:\pL{3,}|[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}ー]+)(?: (?:\pL{3,}|\p{Hangul}+)){2,3}$"
_BOUND: Final = (
    *("and", "for", "from", "the", "with", "without", "bei", "für", "mit", "ohne", "und", "von", "con", "del", "las"),
    *("los", "para", "por", "sin", "avec", "des", "les", "pour", "sans", "sur", "com", "das", "dos", "sem", "dal"),
    *("dei", "della", "delle", "per", "senza", "bez", "dla", "pod", "dan", "dengan", "tanpa", "untuk", "yang", "для"),
    *("без", "من", "على", "مع", "بدون", "aus", "auf", "zum", "zur", "der", "die", "pas", "color", "colore", "couleur"),
    *("kolor", "warna", "لون", "cor", "taille", "talla", "tamaño", "tamanho", "ukuran", "rozmiar", "formato", "mejor"),
    *("melhor", "meilleure", "migliore", "envío", "frete", "livraison", "spedizione", "darmowa", "توصيل", "جودة"),
)
"""Words that belong to the one before or behind them, so that a query with one keeps its order."""

_SYLLABLES_APART: Final = "vi"
_FULL_STOP: Final = r"[.!。！]+$"


def translated(rows: pl.DataFrame, translate: Translate, language: str) -> pl.DataFrame:
    """Return the rows with their query in `language`, null where it is in it already or has no translation.

    It is translated from English where the query is English or has `english`, which translators know best; `english`
    is then that text.
    """
    english = _in_english()
    source = pl.when(english.is_not_null()).then(pl.lit(ENGLISH)).otherwise("language")
    table = rows.select(text=pl.coalesce(english, "query"), source=source, target=pl.lit(language))
    foreign = pl.col("language").fill_null("") != language
    query = _translations(table.with_columns(text=pl.when(rows.select(foreign).to_series()).then("text")), translate)
    return rows.with_columns(query=_as_typed(query, rows), language=pl.lit(language), english=english)


def back_translated(rows: pl.DataFrame, translate: Translate, via: str) -> pl.DataFrame:
    """Return the rows with their query translated into `via` and back; queries in `via` itself go by English.

    The query is null where its language is unknown or one of the translations is missing.
    """
    pivot = pl.when(pl.col("language") == via).then(pl.lit(ENGLISH)).otherwise(pl.lit(via))
    there = rows.select(text="query", source="language", target=pivot)
    back = there.select(text=_translations(there, translate), source="target", target="source")
    return rows.with_columns(query=_as_typed(_translations(back, translate), rows))


def paraphrased(rows: pl.DataFrame, translate: Translate) -> pl.DataFrame:
    """Return the rows with their query put again into its language from English, or with its words in new order.

    The English is the pair's own `english` where it has one. The order changes where the translation is the query
    itself or missing, so for all English queries, and only in queries of three or four words that have spaces between
    them and no prepositions; of others the query is null. `made_by` tells which it was.
    """
    known = rows["english"]
    there = rows.select(text=pl.when(known.is_null()).then("query"), source="language", target=pl.lit(ENGLISH))
    english = known.fill_null(_translations(there, translate)) if known.null_count() else known
    back = rows.select(text=english, source=pl.lit(ENGLISH), target="language")
    reworded = _as_typed(_translations(back, translate), rows)
    differs = (reworded != rows["query"]).fill_null(value=False)
    return rows.with_columns(
        query=pl.when(differs).then(reworded).otherwise(_reordered()),
        made_by=pl.when(differs).then("made_by").otherwise(pl.lit(WORD_ORDER)),
    )


def _in_english() -> pl.Expr:
    return pl.when(pl.col("language") == ENGLISH).then("query").otherwise("english")


def _translations(table: pl.DataFrame, translate: Translate) -> pl.Series:
    """Return a translation per row, each distinct text translated once; null without a text or another language."""
    known = pl.all_horizontal(pl.all().is_not_null()) & (pl.col("source") != pl.col("target"))
    distinct = table.filter(known).unique(maintain_order=True)
    if distinct.is_empty():
        return pl.repeat(None, table.height, dtype=pl.String, eager=True)
    done = distinct.with_columns(done=translate(distinct))
    return table.join(done, on=table.columns, how="left", maintain_order="left")["done"]


def _as_typed(translations: pl.Series, rows: pl.DataFrame) -> pl.Series:
    """Return translations in the form of the queries: without a full stop, and in lower case where those are."""
    plain = clean_texts(translations, lower_case=False).str.replace(_FULL_STOP, "")
    lower = rows["query"] == rows["query"].str.to_lowercase()
    return plain.str.to_lowercase().zip_with(lower, plain)


def _reordered() -> pl.Expr:
    """Return the query with its first word at the end; in languages that name the product first, the last in front."""
    query = pl.col("query")
    movable = query.str.contains(_FEW_WORDS) & (pl.col("language") != _SYLLABLES_APART).fill_null(value=True)
    words = query.str.split(" ")
    free = words.list.set_intersection(list(_BOUND)).list.len() == 0
    last_to_front = query.str.replace(r"^(.*) (\S+)$", "$2 $1")
    first_to_end = query.str.replace(r"^(\S+) (.*)$", "$2 $1")
    moved = pl.when(pl.col("language").is_in(NOUN_FIRST)).then(last_to_front).otherwise(first_to_end)
    return pl.when(movable & free).then(moved)
