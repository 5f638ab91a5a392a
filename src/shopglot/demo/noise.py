"""What fingers do to a query: typos of each keyboard and script, and accents left out."""

from typing import Final

import numpy as np
import polars as pl

from shopglot.demo.lexicon import LANGUAGES
from shopglot.demo.world import Ints

TYPO: Final = 0.05
NO_ACCENTS: Final = 0.15
FEWEST_LETTERS: Final = 4

_QWERTY: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYBOARDS: Final = dict.fromkeys(("en", "es", "pt", "id", "it", "pl", "vi"), _QWERTY) | {
    "fr": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "de": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "ar": ("ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرىةوزظ"),
}
_SLIPS: Final = {
    "ja": {"ー": "", "ッ": "ツ", "ャ": "ヤ", "ョ": "ヨ", "ヴ": "ブ", "ゃ": "や", "っ": "つ"},
    "ko": {
        chr(0xAC00 + (lead * 21 + vowel) * 28 + tail): chr(0xAC00 + (lead * 21 + other) * 28 + tail)
        for lead in range(19)
        for vowel, other in ((1, 5), (5, 1))
        for tail in range(28)
    },
    "th": {"่": "้", "้": "", "์": "", "ใ": "ไ"},
}
"""Scripts whose writers confuse or leave out signs rather than neighbouring keys."""


def mistype(rng: np.random.Generator, text: pl.Series, language: Ints) -> pl.Series:
    """Return the texts as typed: some without accents, some with one slip of the writer's keyboard or script."""
    bare, slip = rng.random(len(text)) < NO_ACCENTS, rng.random(len(text)) < TYPO
    table = pl.DataFrame(
        {
            "row": np.arange(len(text)),
            "text": text,
            "language": language,
            "place": rng.random(len(text)),
            "way": rng.integers(0, 4, len(text)),
        }
    )
    table = table.with_columns(pl.when(pl.Series(bare)).then(_without_accents()).otherwise("text").alias("text"))
    typed = [table.filter(~slip)]
    for number, name in enumerate(LANGUAGES):
        rows = table.filter(slip & (language == number))
        typed.append(rows.with_columns(_slipped(name).alias("text")) if rows.height else rows)
    return pl.concat(typed).sort("row")["text"]


def _without_accents() -> pl.Expr:
    latin = pl.col("text").str.normalize("NFD").str.replace_all(r"[\u0300-\u036f]", "").str.normalize("NFC")
    return latin.str.replace_many({"đ": "d", "ł": "l", "ß": "ss", "أ": "ا", "إ": "ا", "آ": "ا"})


def _slipped(language: str) -> pl.Expr:
    text = pl.col("text")
    if language in _SLIPS:
        return text.str.replace_many(_SLIPS[language])
    at = (pl.col("place") * (text.str.len_chars() - 1)).cast(pl.Int64)
    before, one, two = text.str.slice(0, at), text.str.slice(at, 1), text.str.slice(at + 1, 1)
    after = text.str.slice(at + 2)
    struck = one.replace(_neighbours(_KEYBOARDS[language]))
    ways = [(two, one), (two,), (one, one, two), (struck, two)]
    typed = pl.coalesce(
        pl.when(pl.col("way") == number).then(pl.concat_str(before, *way, after)) for number, way in enumerate(ways)
    )
    letters = (one + two).str.contains(r"^\pL{2}$") & (text.str.len_chars() >= FEWEST_LETTERS)
    return pl.when(letters).then(typed).otherwise(text)


def _neighbours(rows: tuple[str, ...]) -> dict[str, str]:
    return {key: row[place - 1] if place else row[1] for row in rows for place, key in enumerate(row)}
