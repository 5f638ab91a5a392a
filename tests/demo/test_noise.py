import hashlib

import numpy as np
import polars as pl
import pytest

from shopglot.demo.lexicon import LANGUAGES
from shopglot.demo.noise import mistype

ROWS = 4_000


def _typed(text: str, language: str) -> pl.Series:
    texts = pl.Series([text] * ROWS)
    return mistype(np.random.default_rng(0), texts, np.full(ROWS, LANGUAGES.index(language)))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("running shoes", "en"),
        ("スニーカー", "ja"),
        ("냉장고 세제", "ko"),
        ("ซื้อใหม่ไม่แพง", "th"),
        ("سماعات بلوتوث", "ar"),
    ],
)
def test_every_script_has_typos_and_most_queries_have_none(text: str, language: str) -> None:
    typed = _typed(text, language)
    assert 0.01 < (typed != text).to_numpy().mean() < 0.2


def test_some_writers_leave_the_accents_out() -> None:
    typed = _typed("đèn trần", "vi")
    assert 0.08 < (typed == "den tran").to_numpy().mean() < 0.3


def test_a_slip_adds_or_loses_at_most_one_letter_and_keeps_the_ends_of_the_word_around_it() -> None:
    word = "backpack"
    for typed in _typed(word, "en").unique():
        start = next(
            (place for place, pair in enumerate(zip(typed, word, strict=False)) if len(set(pair)) > 1), len(word)
        )
        rest = min(len(word), len(typed)) - start - 2
        assert abs(len(typed) - len(word)) <= 1
        assert rest <= 0 or typed[-rest:] == word[-rest:]


def test_a_digit_is_never_mistyped() -> None:
    assert set(_typed("40417 22 31", "en")) == {"40417 22 31"}


def test_what_a_seed_types_stays_the_same() -> None:
    typed = pl.concat([_typed("běžecké boty žlutý schön", language) for language in LANGUAGES])
    assert hashlib.sha256("\n".join(typed).encode()).hexdigest()[:16] == "ba242278bf561091"
