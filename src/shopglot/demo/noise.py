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
KEYBOARDS: Final = dict.fromkeys(("en", "es", "pt", "id", "it", "pl", "vi"), _QWERTY) | {
    "fr": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    "de": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "ar": ("ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرىةوزظ"),
    "ru": ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    "el": ("ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ"),
    "ko": ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ"),
    "he": ("קראטוןםפ", "שדגכעיחלךף", "זסבהנמצתץ"),
}
"""The rows of letter keys per language, among them some that the simulated marketplace does not speak."""

SLIPS: Final = {
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

_ACCENTED: Final = r"([\p{Latin}\p{Greek}])[\u{300}-\u{36f}]+|[\u{64b}-\u{652}]"
_BARE: Final = {
    **{"đ": "d", "ł": "l", "ø": "o", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"},
    **{"أ": "ا", "إ": "ا", "آ": "ا", "ё": "е"},
}


def mistype(rng: np.random.Generator, text: pl.Series, language: Ints) -> pl.Series:
    """Return the texts as typed: some without accents, some with one slip of the writer's keyboard or script."""
    bare, wrong = rng.random(len(text)) < NO_ACCENTS, rng.random(len(text)) < TYPO
    table = pl.DataFrame(
        {
            "row": np.arange(len(text)),
            "text": text,
            "language": language,
            "place": rng.random(len(text)),
            "way": rng.integers(0, 4, len(text)),
        }
    )
    table = table.with_columns(
        pl.when(pl.Series(bare)).then(without_accents(pl.col("text"))).otherwise("text").alias("text")
    )
    typed = [table.filter(~wrong)]
    for number, name in enumerate(LANGUAGES):
        rows = table.filter(wrong & (language == number))
        typed.append(rows.with_columns(_slipped(name).alias("text")) if rows.height else rows)
    return pl.concat(typed).sort("row")["text"]


def without_accents(text: pl.Expr) -> pl.Expr:
    """Return texts as typed by writers who leave out accents, or the hamza on an alef.

    Only what stands on a Latin, Greek or Arabic letter goes: elsewhere a combining mark makes another letter.

    >>> pl.select(without_accents(pl.Series(["đèn trần", "żółty", "йод"]))).to_series().to_list()
    ['den tran', 'zolty', 'йод']
    """
    bare = text.str.normalize("NFD").str.replace_all(_ACCENTED, "$1").str.normalize("NFC")
    return bare.str.replace_many(_BARE)


def slip(text: pl.Expr, at: pl.Expr, way: pl.Expr, struck: pl.Expr) -> pl.Expr:
    """Return texts with one slip at the letter `at`: the `way` 0 swaps it with the next, 1 leaves it out, 2 doubles it.

    With way 3 it is `struck` instead.
    """
    before, one, two = text.str.slice(0, at), text.str.slice(at, 1), text.str.slice(at + 1, 1)
    after = text.str.slice(at + 2)
    ways = [(two, one), (two,), (one, one, two), (struck, two)]
    typed = pl.coalesce(pl.when(way == number).then(pl.concat_str(*letters)) for number, letters in enumerate(ways))
    return pl.concat_str(before, typed, after)


def neighbours(rows: tuple[str, ...], step: int) -> dict[str, str]:
    """Return the key `step` beside each key of a keyboard, on its other side at the end of a row.

    >>> neighbours(("qwe",), -1)
    {'q': 'w', 'w': 'q', 'e': 'w'}
    """
    return {
        key: row[place + step if 0 <= place + step < len(row) else place - step]
        for row in rows
        for place, key in enumerate(row)
    }


def _slipped(language: str) -> pl.Expr:
    text = pl.col("text")
    if language in SLIPS:
        return text.str.replace_many(SLIPS[language])
    at = (pl.col("place") * (text.str.len_chars() - 1)).cast(pl.Int64)
    struck = text.str.slice(at, 1).replace(neighbours(KEYBOARDS[language], -1))
    letters = text.str.slice(at, 2).str.contains(r"^\pL{2}$") & (text.str.len_chars() >= FEWEST_LETTERS)
    return pl.when(letters).then(slip(text, at, pl.col("way"), struck)).otherwise(text)
