"""The characters of many texts as one array, so that a place in each text is found without a loop over the texts."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Script(IntEnum):
    """What a character is to somebody who types it."""

    OTHER = 0
    LETTER = 1
    HANGUL = 2
    HIRAGANA = 3
    KATAKANA = 4
    HAN = 5
    THAI = 6
    DIGIT = 7
    SPACE = 8


_SCRIPT_OF: Final = {
    **dict.fromkeys(("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "ARMENIAN", "GEORGIAN"), Script.LETTER),
    **{"HANGUL": Script.HANGUL, "HIRAGANA": Script.HIRAGANA, "CJK": Script.HAN, "IDEOGRAPHIC": Script.HAN},
    **{"KATAKANA": Script.KATAKANA, "KATAKANA-HIRAGANA": Script.KATAKANA, "THAI": Script.THAI, "LAO": Script.THAI},
    **{"DIGIT": Script.DIGIT, "SPACE": Script.SPACE},
}
"""By the first word of a character's name; LETTER are alphabets whose words have spaces between them."""


@dataclass(frozen=True, eq=False, slots=True)
class Letters:
    """All characters of a column of texts in a row: their code points, and where each text starts and ends."""

    codes: NDArray[np.uint32]
    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, texts: pl.Series) -> Self:
        """Return the characters of `texts`, of which none is null."""
        lengths = texts.str.len_chars().to_numpy().astype(np.int64)
        ends = lengths.cumsum()
        codes = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
        return cls(codes, ends - lengths, ends)

    def mapped(self, number: Callable[[str], int]) -> Ints:
        """Return the number of each character, asked for once per distinct one."""
        present = np.zeros(0x110000, dtype=np.bool_)
        present[self.codes] = True
        distinct = np.flatnonzero(present)
        table = np.zeros(0x110000, dtype=np.int64)
        table[distinct] = [number(chr(code)) for code in distinct]
        return table[self.codes]

    def beside(self, values: Ints, step: int) -> Ints:
        """Return for each character the value of the one `step` further on, 0 beyond the ends of its text."""
        place = np.arange(len(values)) + step
        row = np.repeat(np.arange(len(self.starts)), self.ends - self.starts)
        within = (place >= self.starts[row]) & (place < self.ends[row])
        return np.where(within, values[place * within], 0)

    def runs(self, inside: Bools) -> tuple[Ints, Ints]:
        """Return for each character its place in its run of characters that are `inside`, and the run's length.

        Both are 0 for characters that are not.
        """
        begins = inside & (self.beside(inside.astype(np.int64), -1) == 0)
        run = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        if not len(first):
            return np.zeros_like(run), np.zeros_like(run)
        length = np.bincount(run[inside], minlength=len(first))
        place = np.arange(len(run)) - first[run]
        return np.where(inside, place, 0), np.where(inside, length[run], 0)

    def choose(self, possible: Bools, draw: NDArray[np.float64]) -> pl.Series:
        """Return for each text the place, counted in it, of the drawn one of its possible characters; null for none."""
        before = np.concatenate([[0], np.cumsum(possible)])
        first, count = before[self.starts], before[self.ends] - before[self.starts]
        places = np.append(np.flatnonzero(possible), 0)
        chosen = places[(first + draw * count).astype(np.int64)] - self.starts
        return pl.Series(chosen).set(pl.Series(count == 0), None)


def script(character: str) -> Script:
    """Return what a character is to somebody who types it; a mark belongs to the script of its letter.

    >>> [script(character).name for character in "ñжو各ー่7-"]
    ['LETTER', 'LETTER', 'LETTER', 'HAN', 'KATAKANA', 'THAI', 'DIGIT', 'OTHER']
    """
    found = _SCRIPT_OF.get(unicodedata.name(character, "").partition(" ")[0], Script.OTHER)
    typed = unicodedata.category(character)[0] in "LM" or found in (Script.DIGIT, Script.SPACE)
    return found if typed else Script.OTHER
