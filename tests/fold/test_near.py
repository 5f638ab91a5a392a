from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.fold import near
from shopglot.fold.near import near_twins, nearest_twins

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


@given(TEXTS, TEXTS, st.sampled_from([0.1, 0.4, 0.75]), st.integers(1, 30))
def test_the_nearest_twins_are_the_first_of_all_twins(
    texts: list[str], known: list[str], similarity: float, most: int
) -> None:
    one, other = pl.Series(texts, dtype=pl.String), pl.Series(known, dtype=pl.String)
    plain = near_twins(one, other, similarity).group_by("text", maintain_order=True).head(most)
    assert nearest_twins(one, other, similarity, most).rows() == plain.rows()


def test_nearest_twins_are_found_across_the_parts_that_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, known = pl.Series(["tea cups", "red rug"]), pl.Series(["tea cup", "rug", "cups", "red rugs", "tea"])
    whole = nearest_twins(texts, known, 0.1, 2)
    monkeypatch.setattr(near, "_FEW_AT_ONCE", 1)
    assert nearest_twins(texts, known, 0.1, 2).equals(whole)
    assert whole["text"].value_counts()["count"].to_list() == [2, 2]
