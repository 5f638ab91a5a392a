"""Queries are given the language they are written in."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from shopglot.core.errors import RecipeError
from shopglot.core.pairs import Pairs
from shopglot.core.remembered import Remembered, in_order, keys_of
from shopglot.curate.settings import CurateSettings

if TYPE_CHECKING:
    from lingua import Language, LanguageDetector

SCRIPTS: Final = {
    r"[\p{Hiragana}\p{Katakana}]": ("ja",),
    r"\p{Hangul}": ("ko",),
    r"\p{Thai}": ("th",),
    r"\p{Arabic}{2}": ("ar", "fa", "ur"),
    r"\p{Cyrillic}{2}": ("ru", "uk", "bg", "sr", "mk", "be", "kk", "mn"),
    r"\p{Hebrew}{2}": ("he",),
    r"\p{Greek}{2}": ("el",),
    r"\p{Devanagari}{2}": ("hi", "mr"),
    r"\p{Han}": ("zh", "ja"),
}
"""What shows a script, beyond a stray letter, and the languages written in it, the most usual first."""

_FEWEST_LETTERS: Final = 5
_BATCH: Final = 20_000
_KEY: Final = ("query", "language")


def correct_languages(pairs: Pairs, settings: CurateSettings, memory: Remembered | None = None) -> Pairs:
    """Return the same rows with the language that each clean query is written in; `own:language` stays the file's.

    A script other than Latin decides by itself: a row keeps a language of that script, else it gets the one among
    `settings.languages` that is written so, or, where there is none, the script's most usual one, asked for or not.
    The other queries are judged by lingua (https://github.com/pemistahl/lingua-py) among the languages asked for. Its
    answer replaces the file's language only when it is `language_odds` times likelier (`one_word_odds` for a single
    word) and the query has five letters. A language that lingua does not know or was not asked for stays.

    `memory` keeps lingua's answers for later calls with the same settings, whose languages have to be named for that.

    Raises RecipeError when lingua is needed and not installed.
    """
    if not settings.correct_language:
        return pairs
    languages = settings.languages or pairs["language"].drop_nulls().unique().sort().to_list()
    queries = pairs.frame.select("query", "language").unique().with_columns(written=_by_script(languages))
    letters = pl.col("query").str.count_matches(r"\p{L}")
    unsure = queries.filter(pl.col("written").is_null() & (letters >= _FEWEST_LETTERS)).drop("written")
    found = queries.drop_nulls("written")
    if unsure.height and len(languages) > 1:
        memory = Remembered(unsure.height) if memory is None else memory
        found = pl.concat([found, _remembered(unsure, languages, settings, memory)])
    joined = pairs.frame.join(found, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    return Pairs(joined.with_columns(language=pl.coalesce("written", "language")).drop("written"))


def _by_script(languages: Sequence[str]) -> pl.Expr:
    """The language that the script alone decides, null where it does not."""
    decisions = []
    for script, written_so in SCRIPTS.items():
        among = [language for language in written_so if language in languages] or [written_so[0]]
        answer = pl.lit(among[0] if len(among) == 1 else None, dtype=pl.String)
        language = pl.when(pl.col("language").is_in(written_so)).then("language").otherwise(answer)
        decisions.append(pl.when(pl.col("query").str.contains(script)).then(language))
    return pl.coalesce(decisions)


def _remembered(
    queries: pl.DataFrame, languages: Sequence[str], settings: CurateSettings, memory: Remembered
) -> pl.DataFrame:
    """Return what `_by_lingua` does, asking it only of queries that it was not asked of before."""
    keys = keys_of(queries)
    rows, known = memory.recall(keys)
    new = np.setdiff1d(np.arange(queries.height), rows)
    told = known.clear()
    if len(new):
        asked = queries[new]
        found = _by_lingua(asked, languages, settings)
        told = asked.join(found, on=_KEY, how="left", nulls_equal=True, maintain_order="left").select("written")
        memory.remember(pl.concat([keys[new], told], how="horizontal"))
    return queries.with_columns(in_order([rows, new], [known, told])).drop_nulls("written")


def _by_lingua(queries: pl.DataFrame, languages: Sequence[str], settings: CurateSettings) -> pl.DataFrame:
    """Return `query`, `language` and the language `written` in, where that is not the one the file names."""
    asked = _known_to_lingua(languages)
    if len(asked) <= 1:
        return queries.clear().with_columns(written="language")
    likely = _likelihoods(queries["query"].unique(), asked)
    of_file = pl.coalesce(pl.when(pl.col("language") == code).then(code) for code in asked)
    best = pl.max_horizontal(*asked)
    one_word = ~pl.col("query").str.contains(" ")
    odds = pl.when(one_word).then(settings.one_word_odds).otherwise(settings.language_odds)
    replaced = pl.when(pl.col("language").is_null()).then(best > 0).otherwise(best > odds * of_file)
    return queries.join(likely, on="query").filter(replaced).select("query", "language", "written")


def _known_to_lingua(languages: Sequence[str]) -> "dict[str, Language]":
    try:
        from lingua import Language
    except ImportError as missing:
        raise RecipeError("correct_language needs lingua: pip install 'shopglot[train]'") from missing
    of_code = {language.iso_code_639_1.name.lower(): language for language in Language.all()}
    return {code: of_code[code] for code in languages if code in of_code}


def _likelihoods(queries: pl.Series, asked: "dict[str, Language]") -> pl.DataFrame:
    """Return `query`, the likelihood of each language in a column of its code, and `written`, the likeliest."""
    codes = list(asked)
    column = {language: number for number, language in enumerate(asked.values())}
    likelihoods = np.zeros((queries.len(), len(codes)))
    detector = _detector(tuple(column))
    for start in range(0, queries.len(), _BATCH):
        batch = queries.slice(start, _BATCH).to_list()
        for row, values in enumerate(detector.compute_language_confidence_values_in_parallel(batch), start):
            for value in values:
                likelihoods[row, column[value.language]] = value.value
    written = pl.Series(codes, dtype=pl.String).gather(likelihoods.argmax(axis=1))
    return pl.DataFrame(likelihoods, schema=codes).with_columns(query=queries, written=written)


@cache
def _detector(languages: "tuple[Language, ...]") -> "LanguageDetector":
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_languages(*languages).build()
