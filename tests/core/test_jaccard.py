from functools import partial

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.jaccard import ngrams, overlap, words

text = st.text(alphabet="ab ç日", max_size=12)


@given(text, text, st.integers(2, 4))
def test_overlaps_equal_those_of_python_sets(one: str, other: str, size: int) -> None:
    def grams(value: str) -> set[str]:
        padded = f" {value} "
        return {padded[start : start + size] for start in range(len(padded) - size + 1)}

    row = overlap(pl.Series([one]), pl.Series([other]), partial(ngrams, size=size))
    common, union = len(grams(one) & grams(other)), len(grams(one) | grams(other))
    assert row["jaccard"][0] == pytest.approx(common / union if union else 0.0)
    assert row["contained"][0] == pytest.approx(common / len(grams(one)) if grams(one) else 0.0)


def test_words_are_distinct_and_leave_punctuation_out() -> None:
    assert sorted(pl.select(words(pl.lit("red, red-ish"))).item().to_list()) == ["ish", "red"]
