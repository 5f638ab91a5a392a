"""Texts that are clean already, told one by one: for a few texts that takes less time than cleaning them as a table."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from shopglot.core.category import LEVEL_COMMA, MAX_DEPTH
from shopglot.curate.clean import AFTER_NFKC, MAX_CHARACTERS, MISSING_WORDS

_KINDS: Final = ("L", "M", "Nd")
_SIGNS: Final = " -'/().+&,’・、"
_ENTITY: Final = re.compile(r"&[#A-Za-z]")
_KEPT: Final = 100_000


@lru_cache(_KEPT)
def is_clean(text: str) -> bool:
    """Return whether cleaning surely leaves a query as it is; False where that is not certain.

    >>> is_clean("café crème"), is_clean("Tea"), is_clean("tea &amp; mugs")
    (True, False, False)
    """
    return 0 < len(text) <= MAX_CHARACTERS and _plain(text)


def is_clean_title(text: str) -> bool:
    """Return the same of a title or an English text, which may also be a word for nothing, such as "none"."""
    return is_clean(text) and text not in MISSING_WORDS


@lru_cache(_KEPT)
def is_clean_path(path: str) -> bool:
    """Return the same of a category path.

    >>> is_clean_path("food,grocery,flour, baking and cooking"), is_clean_path("food, ,tea")
    (True, False)
    """
    levels = LEVEL_COMMA.split(path)
    if not 0 < len(path) <= MAX_CHARACTERS or len(levels) > MAX_DEPTH or path in MISSING_WORDS:
        return False
    return all(_plain(part) for level in levels for part in level.split(", "))


def _plain(text: str) -> bool:
    """Return whether a text is in lower case and normal form, of letters, digits and a few signs, with single spaces.

    What is left out, such as fractions, escapes and invisible characters, is what cleaning may change.
    """
    return (
        text == text.strip()
        and bool(text)
        and "  " not in text
        and all(each in _SIGNS or unicodedata.category(each).startswith(_KINDS) for each in text)
        and _ENTITY.search(text) is None
        and text == text.lower()
        and "i\u0307" not in text
        and text == _normal(text)
    )


def _normal(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    for before, after in AFTER_NFKC.items():
        text = text.replace(before, after)
    return text
