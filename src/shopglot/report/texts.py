"""What the text of a query shows by itself, beside its translation and beside its other spellings."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from shopglot.core.pairs import TRANSLATED
from shopglot.fold.spelling import spelling

_KEYS: Final = ("query", "english", "language")
_WORDS: Final = ("1 word", "2 words", "3–4 words", "5 words and more", "not spaced")
_CHARACTERS: Final = ("1–5", "6–10", "11–20", "21–40", "41 and more")
_SCRIPTS: Final = {
    "Latin": r"\p{Latin}",
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
    "Hangul": r"\p{Hangul}",
    "Han or kana": r"[\p{Han}\p{Hiragana}\p{Katakana}]",
    "Thai": r"\p{Thai}",
    "another script": r"[\p{L}--[\p{Common}\p{Inherited}\p{Latin}\p{Cyrillic}\p{Arabic}\p{Hangul}\p{Han}\p{Hiragana}"
    r"\p{Katakana}\p{Thai}]]",
}
_MIXED: Final = "two scripts"
_UNSPACED: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_CODE: Final = r"[A-Za-z][-./]?\p{Nd}|\p{Nd}[-./]?[A-Za-z]"
_STRAY: Final = r"^[^\p{L}\p{M}\p{N}\p{Ps}\p{Pi}\"'#]|[^\p{L}\p{M}\p{N}\s]{2}|\x{FFFD}|[ÃÂ][\x{80}-\x{BF}]"
_NONE: Final = "none found"


def text_columns(rows: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """Return per row of `query`, `english` and `language` what the query shows.

    - `query_words`, `query_characters`: its length in bands; a script without spaces has no words to count.
    - `script`: the script of its letters, or "two scripts".
    - `code_mixed`: two scripts, or a word of three letters that its English text has too. That may be a name.
    - `model_codes`: letters and digits in one word, as in a model or a size; other numbers; or no digits.
    - `noise`: the first of "rarer spelling", where one of the `known` queries is the same but for case, accents, spaces
      and punctuation and occurs more often; "stray signs" and broken characters; "repeated word". Other typos are
      not found.
    """
    texts = rows.select(_KEYS)
    shown = (
        texts.unique()
        .join(_rarer_spellings(known), on="query", how="left")
        .with_columns(script=_script())
        .select(
            *_KEYS,
            "script",
            _words().alias("query_words"),
            _banded(pl.col("query").str.len_chars(), (5, 10, 20, 40), _CHARACTERS).alias("query_characters"),
            _code_mixed().alias("code_mixed"),
            _model_codes().alias("model_codes"),
            _noise().alias("noise"),
        )
    )
    return texts.join(shown, on=_KEYS, how="left", nulls_equal=True, maintain_order="left").drop(_KEYS)


def _rarer_spellings(known: pl.Series) -> pl.DataFrame:
    """Return per `query` whether the same letters are `rarer` typed so than otherwise."""
    counted = known.alias("query").value_counts().with_columns(spelling=spelling(pl.col("query")))
    return counted.select("query", rarer=pl.col("count") < pl.col("count").max().over("spelling"))


def _script() -> pl.Expr:
    found = {name: pl.col("query").str.contains(pattern) for name, pattern in _SCRIPTS.items()}
    return pl.coalesce(
        pl.when(pl.sum_horizontal(found.values()) > 1).then(pl.lit(_MIXED)),
        *(pl.when(has).then(pl.lit(name)) for name, has in found.items()),
        pl.lit("no letters"),
    )


def _words() -> pl.Expr:
    spaced = _banded(pl.col("query").str.count_matches(r"\S+"), (1, 2, 4), _WORDS[:-1])
    unspaced = pl.col("query").str.contains(_UNSPACED)
    return pl.when(unspaced).then(pl.lit(_WORDS[-1])).otherwise(spaced.cast(pl.String)).cast(pl.Enum(_WORDS))


def _banded(number: pl.Expr, ends: Sequence[int], names: Sequence[str]) -> pl.Expr:
    """Return the name of the first band whose end the number does not pass; the last band has no end."""
    closed = [pl.when(number <= end).then(pl.lit(name)) for end, name in zip(ends, names[:-1], strict=True)]
    return pl.coalesce(*closed, pl.lit(names[-1])).cast(pl.Enum(names))


def _code_mixed() -> pl.Expr:
    own, translated = (pl.col(name).str.extract_all(r"\p{L}{3,}") for name in ("query", "english"))
    shared = TRANSLATED & (own.list.set_intersection(translated).list.len() > 0)
    foreign = pl.col("language").fill_null("") != "en"
    return (
        pl.when(pl.col("script") == _MIXED).then(pl.lit(_MIXED))
        .when(foreign & shared).then(pl.lit("a word of its English text"))
        .otherwise(pl.lit(_NONE))
    )  # fmt: skip


def _model_codes() -> pl.Expr:
    query = pl.col("query").str
    return (
        pl.when(query.contains(_CODE)).then(pl.lit("letters and digits in a word"))
        .when(query.contains(r"\p{Nd}")).then(pl.lit("other numbers"))
        .otherwise(pl.lit("no digits"))
    )  # fmt: skip


def _noise() -> pl.Expr:
    words = pl.col("query").str.extract_all(r"\S+")
    return (
        pl.when("rarer").then(pl.lit("rarer spelling"))
        .when(pl.col("query").str.contains(_STRAY)).then(pl.lit("stray signs"))
        .when(words.list.n_unique() < words.list.len()).then(pl.lit("repeated word"))
        .otherwise(pl.lit(_NONE))
    )  # fmt: skip
