import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.enrich.dropout import drop_translations
from tests.enrich.queries import pairs
from tests.strategies import pairs_tables


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_the_share_of_translations_that_are_dropped(rate: float) -> None:
    table = pairs(["tee"] * 4_000, english="tea")
    assert abs(drop_translations(table, rate, seed=1)["english"].null_count() / 4_000 - rate) < 0.03
    assert drop_translations(table, 0.0, seed=1).frame.equals(table.frame)


@settings(max_examples=20)
@given(pairs_tables(), st.integers(0, 5))
def test_a_pair_loses_its_translation_whatever_stands_beside_it(table: Pairs, seed: int) -> None:
    some = pl.int_range(pl.len()) % 3 == 0
    whole = drop_translations(table, 0.4, seed)
    assert drop_translations(Pairs(table.filter(some).frame.reverse()), 0.4, seed).frame.equals(
        whole.filter(some).frame.reverse()
    )
    assert whole.frame.drop("english").equals(table.frame.drop("english"))


def test_a_higher_rate_drops_more_of_the_same_and_another_seed_others() -> None:
    table = pairs(["tee"] * 300, english="tea")
    few, many, others = (
        set(drop_translations(table, rate, seed).filter(pl.col("english").is_null())["id"])
        for rate, seed in ((0.3, 1), (0.6, 1), (0.3, 2))
    )
    assert few < many
    assert few != others
