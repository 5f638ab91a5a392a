import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.enrich.quality import agreement, chrf, translation_quality
from tests.learn.doubles import ByLetters

PAIRS = Pairs.of(
    [
        Pair("QI", "thé", "Tea", language="fr", english="tea"),
        Pair("QC", "thé", "food,tea", language="fr", english="tea"),
        Pair("QI", "lait", "Milk", language="fr", english="milk"),
        Pair("QI", "wok", "Wok", language="fr", english="wok"),
        Pair("QI", "Tee", "Tea", language="de", english="tea"),
    ]
)


def back_to_french(table: pl.DataFrame) -> pl.Series:
    assert set(table["source"]) <= {"en"}
    words = {"tea": "thé", "milk": "laiterie"}
    french = table["text"].replace_strict(words, default=None, return_dtype=pl.String)
    return french.zip_with(table["target"] == "fr", pl.Series([None], dtype=pl.String))


def test_chrf_is_what_a_person_counts() -> None:
    # "abcd" has 3 of its 4 letters, "ab" and "bc" of its 3 bigrams and "abc" of its 2 trigrams in "abce f".
    precision, recall = (3 / 4 + 2 / 3 + 1 / 2 + 0) / 4, (3 / 5 + 2 / 4 + 1 / 3 + 0) / 4
    expected = 5 * precision * recall / (4 * precision + recall)
    assert chrf(pl.Series(["abcd"]), pl.Series(["abce f"])) == pytest.approx([expected])


def test_a_letter_that_stands_twice_counts_as_often_as_both_texts_have_it() -> None:
    assert chrf(pl.Series(["aa"]), pl.Series(["a"])) == pytest.approx([5 * 0.5 / (4 * 0.5 + 1)])


@given(st.lists(st.text(max_size=8), max_size=6))
def test_chrf_is_one_for_the_same_text_and_never_outside_zero_and_one(given_texts: list[str]) -> None:
    texts = pl.Series(given_texts, dtype=pl.String)
    letters = texts.str.replace_all(r"\s", "").str.len_chars().to_numpy() > 0
    assert chrf(texts, texts) == pytest.approx(letters.astype(float))
    turned = chrf(texts, texts.reverse())
    assert ((turned >= 0) & (turned <= 1 + 1e-9)).all()


def test_agreement_is_the_cosine_and_a_text_is_encoded_once() -> None:
    encoder = ByLetters()
    one, other = pl.Series(["thé", "thé", "tea"]), pl.Series(["tea", "milk", "tea"])
    found = agreement(encoder, one, other)
    assert sorted(encoder.asked) == ["milk", "tea", "thé"]
    vectors = dict(zip(encoder.asked, ByLetters().encode(encoder.asked), strict=True))
    assert found == pytest.approx([vectors[a] @ vectors[b] for a, b in zip(one, other, strict=True)], abs=1e-6)
    assert found[2] == pytest.approx(1.0)


def test_a_translation_stands_once_with_the_number_of_its_rows() -> None:
    quality = translation_quality(PAIRS, ByLetters(), seed=1)
    rows = quality.select("language", "query", "english", "pairs").rows()
    assert rows == [("de", "Tee", "tea", 1), ("fr", "lait", "milk", 1), ("fr", "thé", "tea", 2)]
    assert quality["round_trip"].null_count() == 3


def test_a_round_trip_compares_the_query_with_what_comes_back_and_is_null_where_nothing_does() -> None:
    quality = translation_quality(PAIRS, ByLetters(), back_to_french, seed=1)
    german, milk, tea = quality["round_trip"]
    assert german is None
    assert tea == 1
    assert milk == pytest.approx(chrf(pl.Series(["laiterie"]), pl.Series(["lait"])).item())
    assert 0 < milk < 1


def test_chance_is_the_agreement_with_the_translation_of_another_query_of_the_language() -> None:
    quality = translation_quality(PAIRS, ByLetters(), seed=1).filter(pl.col("language") == "fr")
    crossed = agreement(ByLetters(), quality["query"], quality["english"].reverse())
    assert np.asarray(quality["by_chance"])[0] == pytest.approx(crossed[0], abs=1e-6)


def test_pairs_without_a_translation_have_no_quality() -> None:
    quality = translation_quality(PAIRS.filter(pl.col("query") == "wok"), ByLetters(), back_to_french, seed=1)
    assert quality.is_empty()
