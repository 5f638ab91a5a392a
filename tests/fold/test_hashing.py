import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.fold.hashing import unit_hash

TEXTS = st.lists(st.text(max_size=20), max_size=20)


@given(TEXTS)
def test_the_hash_of_a_text_does_not_depend_on_its_company(texts: list[str]) -> None:
    together = unit_hash(pl.Series(texts, dtype=pl.String), 1)
    alone = [unit_hash(pl.Series([text]), 1)[0] for text in texts]
    assert together.tolist() == alone


def test_the_hash_never_changes() -> None:
    assert unit_hash(pl.Series(["", "tea", "お茶"]), 7, 1).round(9).tolist() == [0.672264223, 0.772764558, 0.059390189]


def test_hashes_are_uniform_and_independent_of_each_other_for_other_seeds() -> None:
    names = pl.select(pl.format("query {}", pl.int_range(100_000))).to_series()
    one, other = unit_hash(names, 1, 0), unit_hash(names, 1, 1)
    counts = np.histogram2d(one, other, bins=10, range=[[0, 1], [0, 1]])[0]
    assert counts.min() > 850
    assert counts.max() < 1150
