import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.enrich.readings import READINGS, other_english, readings

TEXTS = st.sampled_from(["", "tea", "milk", "pan", "thé", "lait"])
ROWS = st.lists(
    st.builds(
        Pair,
        task=st.sampled_from(["QC", "QI"]),
        query=TEXTS,
        target=st.just("food"),
        language=st.sampled_from(["fr", "de", None]),
        english=st.one_of(TEXTS, st.none()),
    ),
    max_size=20,
)
FRENCH = Pairs.of(
    [
        Pair("QI", "thé vert", "Green tea", language="fr", english="green tea"),
        Pair("QI", "lait", "Milk", language="fr", english="milk"),
        Pair("QI", "wok", "Wok", language="fr", english="wok"),
        Pair("QI", "poêle", "Pan", language="fr"),
    ]
)


def texts(pairs: Pairs) -> list[tuple[str, str | None]]:
    return pairs.frame.select("query", "english").rows()


def test_each_reading_gives_the_texts_it_is_named_after() -> None:
    read = readings(FRENCH, seed=0)
    assert tuple(read) == READINGS
    assert texts(read["original"])[:2] == [("thé vert", None), ("lait", None)]
    assert texts(read["english"])[:2] == [("green tea", None), ("milk", None)]
    assert read["both"] is FRENCH
    assert texts(read["other"])[:2] == [("thé vert", "milk"), ("lait", "green tea")]


def test_a_row_without_a_translation_keeps_its_query_in_every_reading() -> None:
    for pairs in readings(FRENCH, seed=0).values():
        assert pairs["query"].to_list()[2:] == ["wok", "poêle"]
        assert set(pairs["english"].to_list()[2:]) <= {"wok", None}


def test_everything_but_query_and_english_stays_as_it_is() -> None:
    rest = pl.exclude("query", "english")
    for pairs in readings(FRENCH, seed=0).values():
        assert pairs.frame.select(rest).equals(FRENCH.frame.select(rest))


@given(ROWS, st.integers(0, 9))
def test_no_row_keeps_its_own_translation_where_its_task_and_language_have_another(rows: list[Pair], seed: int) -> None:
    pairs = Pairs.of(rows)
    other, rows_with_one = other_english(pairs, seed), pl.Series(pairs.translated)
    had, got = (pairs.frame.with_columns(english).filter(rows_with_one) for english in (pairs["english"], other))
    keys = ["task", "language", "english"]
    assert set(got.select(keys).rows()) == set(had.select(keys).rows())
    alone = had.select(pl.col("english").n_unique().over("task", "language") == 1).to_series()
    assert (got["english"] == had["english"]).to_list() == alone.to_list()
    assert other.filter(~rows_with_one).equals(pairs["english"].filter(~rows_with_one), null_equal=True)


def test_another_seed_draws_other_translations() -> None:
    many = Pairs.of([Pair("QI", f"mot {n}", "x", language="fr", english=f"word {n}") for n in range(20)])
    assert other_english(many, 1).to_list() == other_english(many, 1).to_list() != other_english(many, 2).to_list()
