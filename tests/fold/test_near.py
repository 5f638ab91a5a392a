from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.fold.near import near_twins

TEXTS = st.lists(st.text("ab é", min_size=0, max_size=12), max_size=25, unique=True)


def bag(text: str) -> Counter[str]:
    padded = f" {text} "
    return Counter(padded[start : start + 3] for start in range(len(padded) - 2))


@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 0.75, 0.9, 1.0]))
def test_no_twin_is_missed_and_none_is_invented(texts: list[str], known: list[str], similarity: float) -> None:
    expected = {
        (text, twin): share
        for text in texts
        for twin in known
        if bag(text) and (share := (bag(text) & bag(twin)).total() / (bag(text) | bag(twin)).total()) >= similarity
    }
    found = near_twins(pl.Series(texts, dtype=pl.String), pl.Series(known, dtype=pl.String), similarity)
    assert {(text, twin): share for text, twin, share in found.rows()} == expected
