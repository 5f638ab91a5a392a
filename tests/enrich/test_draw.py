import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.enrich.draw import draws, hashed


@given(st.lists(st.text(max_size=8), min_size=1, max_size=8), st.integers(0, 9))
def test_what_is_drawn_for_an_id_does_not_depend_on_the_others(ids: list[str], seed: int) -> None:
    together = draws(hashed(pl.Series(ids), seed), "typo", 3)
    assert together.shape == (len(ids), 3)
    assert together[-1].tolist() == draws(hashed(pl.Series(ids[-1:]), seed), "typo", 3)[0].tolist()


def test_draws_are_even_and_those_of_other_seeds_and_names_have_nothing_in_common() -> None:
    ids = pl.Series([f"QC-{number}" for number in range(20_000)])
    one, two = hashed(ids, 1), hashed(ids, 2)
    columns = np.hstack([draws(one, "typo", 2), draws(one, "accents", 2), draws(two, "typo", 2)])
    assert np.abs(np.corrcoef(columns.T) - np.eye(6)).max() < 0.03
    assert all(np.abs(np.histogram(column, 10, (0, 1))[0] - 2_000).max() < 200 for column in columns.T)


def test_no_ids_have_no_draws() -> None:
    assert draws(hashed(pl.Series([], dtype=pl.String), 1), "typo", 4).shape == (0, 4)
