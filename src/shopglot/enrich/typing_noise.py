"""Queries as hurried shoppers type them: slips of the keyboard or script, no accents, spaces lost or put in."""

import unicodedata
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from shopglot.demo.noise import FEWEST_LETTERS, KEYBOARDS, SLIPS, neighbours, slip, without_accents
from shopglot.enrich.draw import Draws
from shopglot.enrich.letters import Bools, Ints, Letters, Script, script

_SWAP, _LEAVE_OUT, _STRIKE = 0, 1, 3
"""As `slip` numbers them; what is drawn above `_STRIKE` is the key on the other side."""

_WAYS: Final = 5
_JOINED: Final = 0.7
"""How often words are joined where one could be split as well."""

_SPELLED: Final = 0.5
_UMLAUTS: Final = {"ä": "ae", "ö": "oe", "ü": "ue"}

_ALPHABETS: Final = ("he", "el", "ru", "ar", "en")
_OWN_KEYBOARD: Final = ("fr", "de")
_MORE_SLIPS: Final = {
    **{"ไ": "ใ", "๊": "้", "๋": "้", "ศ": "ส", "ษ": "ส", "ณ": "น"},
    **{"ि": "ी", "ी": "ि", "ु": "ू", "ू": "ु"},
}
_LEADS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_WITHOUT_SHIFT: Final = dict(zip("ㄲㄸㅃㅆㅉㅒㅖ", "ㄱㄷㅂㅅㅈㅐㅔ", strict=True))
_FIRST_SYLLABLE, _TAILS = 0xAC00, 28

_BEFORE_CONSONANT: Final = "เแโใไເແໂໃໄ"
"""Vowels that Thai and Lao write before the consonant they follow, so that a syllable starts with them."""

_LONG: Final = "ー"
_VOWEL_LETTERS: Final = "aeiouyаеиоуыэюяєіαεηιουω"


def typos(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Return the rows with one slip in the query; the query is null where it has no place for one.

    In alphabets a letter inside a word of four or more is swapped with the next, left out, doubled, or struck beside
    its key; the keyboard is that of the script, for Latin letters that of the language. In Hangul a jamo is struck
    beside its key, confused or left out; in kana, Thai and Devanagari it is a sign that writers confuse or leave out.
    """
    letters = Letters.of(rows["query"])
    place, length = letters.runs(letters.mapped(script) == Script.LETTER)
    in_word = (length >= FEWEST_LETTERS) & (place > 0) & (place < length - 1)
    confusable = letters.mapped(lambda character: len(_confused(character))) > 0
    table = rows.select(
        "language",
        text="query",
        at=letters.choose(in_word | confusable, draws[:, 0]),
        way=pl.Series((draws[:, 1] * _WAYS).astype(np.int64)),
        draw=pl.Series(draws[:, 2]),
    ).with_columns(one=pl.col("text").str.slice("at", 1))
    signs = table["one"].drop_nulls().unique()
    others = pl.Series([_confused(sign) for sign in signs], dtype=pl.List(pl.String))
    confused = pl.DataFrame({"one": signs, "others": others})
    joined = table.join(confused, on="one", how="left", maintain_order="left")
    typed = joined.select(pl.when(pl.col("others").list.len() > 0).then(_sign()).otherwise(_letter()))
    return rows.with_columns(query=typed.to_series())


def accents_left_out(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Return the rows with queries without their accents; half of the German ones are typed with ae for ä."""
    query = pl.col("query")
    spelled = (pl.col("language") == "de") & pl.lit(pl.Series(draws[:, 0] < _SPELLED))
    return rows.with_columns(
        query=without_accents(pl.when(spelled).then(query.str.replace_many(_UMLAUTS)).otherwise(query))
    )


def other_spaces(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Return the rows with two words of the query joined, or one split; null where neither can be.

    Numbers are not joined. Words of six letters or more are split before a consonant with a vowel behind it, words of
    four syllables of Hangul between any, both never near their ends; compounds of Han characters between pairs, Thai
    and Lao before a vowel that starts a syllable, others where the script changes, or letters to digits.
    """
    letters = Letters.of(rows["query"])
    joint, seam = (letters.choose(places, draws[:, 0]) for places in (_joints(letters), _seams(letters)))
    joins = joint.is_not_null() & (pl.Series(draws[:, 1] < _JOINED) | seam.is_null())
    table = rows.select("query", at=joint.zip_with(joins, seam), joins=joins)
    text, at = pl.col("query"), pl.col("at")
    joined = pl.concat_str(text.str.slice(0, at), text.str.slice(at + 1))
    split = pl.concat_str(text.str.slice(0, at), pl.lit(" "), text.str.slice(at))
    return rows.with_columns(query=table.select(pl.when("joins").then(joined).otherwise(split)).to_series())


def _letter() -> pl.Expr:
    """Return the text with the letter slipped; a double one that would swap, and one without a key, is left out."""
    at, way, one = pl.col("at"), pl.col("way"), pl.col("one")
    struck = pl.when(way == _STRIKE).then(_beside(one, -1)).otherwise(_beside(one, 1))
    double = (way == _SWAP) & (one == pl.col("text").str.slice(at + 1, 1))
    keyless = (way >= _STRIKE) & (one == struck)
    possible = pl.when(double | keyless).then(_LEAVE_OUT).otherwise(pl.min_horizontal(way, _STRIKE))
    return slip(pl.col("text"), at, possible, struck)


def _beside(letter: pl.Expr, step: int) -> pl.Expr:
    """Return the letter on the key beside, of a letter without a key the one without its accent."""
    keys = {key: other for name in _ALPHABETS for key, other in neighbours(KEYBOARDS[name], step).items()}
    own = [
        pl.when(pl.col("language") == name).then(letter.replace_strict(neighbours(KEYBOARDS[name], step), default=None))
        for name in _OWN_KEYBOARD
    ]
    return pl.coalesce(*own, letter.replace_strict(keys, default=None), without_accents(letter))


def _sign() -> pl.Expr:
    """Return the text with one of the others instead of the sign."""
    text, at, others = pl.col("text"), pl.col("at"), pl.col("others")
    other = others.list.get((pl.col("draw") * others.list.len()).cast(pl.Int64), null_on_oob=True)
    return pl.concat_str(text.str.slice(0, at), other, text.str.slice(at + 1))


@cache
def _confused(character: str) -> list[str]:
    """Return what is typed for a sign of a script whose writers do not slip by whole letters; nothing for others."""
    others = [slips[character] for slips in (*SLIPS.values(), _MORE_SLIPS) if character in slips]
    if "가" <= character <= "힣":
        return [*others, *_syllables_beside(character)]
    if script(character) in (Script.HIRAGANA, Script.KATAKANA):
        others.append(unicodedata.normalize("NFD", character)[0])
    return [other for other in others if other != character]


def _syllables_beside(syllable: str) -> list[str]:
    """Return the syllables with one jamo struck beside its key, without shift, or left out at the end."""
    rest, tail = divmod(ord(syllable) - _FIRST_SYLLABLE, _TAILS)
    lead, vowel = divmod(rest, len(_VOWELS))
    typed = [(other, vowel, tail) for other in _jamo_beside(lead, _LEADS)]
    typed += [(lead, other, tail) for other in _jamo_beside(vowel, _VOWELS)]
    typed += [(lead, vowel, 0)] if tail else []
    return [chr(_FIRST_SYLLABLE + (one * len(_VOWELS) + two) * _TAILS + three) for one, two, three in typed]


def _jamo_beside(number: int, jamo: str) -> list[int]:
    keys = [_WITHOUT_SHIFT, *(neighbours(KEYBOARDS["ko"], step) for step in (-1, 1))]
    return sorted({jamo.index(other) for key in keys if (other := key.get(jamo[number], "-")) in jamo})


def _joints(letters: Letters) -> Bools:
    """Return which characters are a space between two words that are not both numbers."""
    kind = letters.mapped(script)
    before, after = letters.beside(kind, -1), letters.beside(kind, 1)
    numbers = (before == Script.DIGIT) & (after == Script.DIGIT)
    joints: Bools = (kind == Script.SPACE) & _in_word(before) & _in_word(after) & ~numbers
    return joints


def _seams(letters: Letters) -> Bools:
    """Return which characters may start a word of their own."""
    kind = letters.mapped(script)
    before = letters.beside(kind, -1)
    particle = (kind == Script.HIRAGANA) | ((before == Script.HIRAGANA) & (kind == Script.HAN))
    changes = _in_word(kind) & _in_word(before) & (kind != before) & ~particle & (letters.codes != ord(_LONG))
    vowel = letters.mapped(lambda character: unicodedata.normalize("NFD", character)[0] in _VOWEL_LETTERS)
    syllable = (vowel == 0) & (letters.beside(vowel, 1) == 1)
    pairs_of_han = letters.runs(kind == Script.HAN)[0] % 2 == 0
    thai = (letters.runs(kind == Script.THAI)[0] > 1) & np.isin(letters.codes, [ord(v) for v in _BEFORE_CONSONANT])
    middles = (
        _middle(letters, kind == Script.LETTER, 3) & syllable,
        _middle(letters, kind == Script.HANGUL, 2),
        _middle(letters, kind == Script.HAN, 2) & pairs_of_han,
    )
    seams: Bools = np.logical_or.reduce([changes, thai, *middles])
    return seams


def _middle(letters: Letters, inside: Bools, least: int) -> Bools:
    """Return which characters have as many as `least` of their run before them, and from them on."""
    place, length = letters.runs(inside)
    return (place >= least) & (length - place >= least)


def _in_word(kind: Ints) -> Bools:
    word: Bools = (kind != Script.OTHER) & (kind != Script.SPACE)
    return word
