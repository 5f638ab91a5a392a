from collections.abc import Callable

import polars as pl
import pytest

from shopglot.enrich.translated_pairs import WORD_ORDER, back_translated, paraphrased, translated
from tests.enrich.queries import marked, pairs


def asked_by(
    change: Callable[[pl.DataFrame], pl.Series],
) -> tuple[list[pl.DataFrame], Callable[[pl.DataFrame], pl.Series]]:
    asked: list[pl.DataFrame] = []

    def translate(table: pl.DataFrame) -> pl.Series:
        asked.append(table)
        return change(table)

    return asked, translate


def test_a_translated_query_is_in_the_language_and_keeps_its_english() -> None:
    made = translated(pairs(["tee"], language="de", english="tea").frame, marked, "pl")
    assert made.select("query", "language", "english").row(0) == ("tea enpl", "pl", "tea")


def test_an_english_query_is_the_english_of_its_translation() -> None:
    made = translated(pairs(["tea"], language="en").frame, marked, "pl")
    assert made.select("query", "language", "english").row(0) == ("tea enpl", "pl", "tea")


def test_without_english_the_query_itself_is_translated() -> None:
    made = translated(pairs(["tee"], language="de").frame, marked, "pl")
    assert made.select("query", "language", "english").row(0) == ("tee depl", "pl", None)


@pytest.mark.parametrize(("language", "query"), [("pl", "herbata"), (None, "tee"), ("de", "unknown")])
def test_there_is_none_of_the_language_itself_of_an_unknown_one_and_where_the_translator_has_none(
    language: str | None, query: str
) -> None:
    assert translated(pairs([query], language=language).frame, marked, "pl")["query"].to_list() == [None]


def test_a_back_translation_goes_there_and_back_or_by_english() -> None:
    rows = pl.concat([pairs(["tee"], language="fr").frame, pairs(["tee"], language="de").frame])
    made = back_translated(rows, marked, "de")
    assert made["query"].to_list() == ["tee frde. defr", "tee deen. ende"]
    assert made["language"].to_list() == ["fr", "de"]


def test_an_english_query_does_not_go_by_english() -> None:
    assert back_translated(pairs(["tea"]).frame, marked, "en")["query"].to_list() == [None]


def test_a_paraphrase_comes_back_from_the_english_there_is() -> None:
    rows = pl.concat([pairs(["tee"], language="de", english="tea").frame, pairs(["tee"], language="de").frame])
    made = paraphrased(rows.with_columns(made_by=pl.lit("paraphrase by table")), marked)
    assert made["query"].to_list() == ["tea ende", "tee deen. ende"]
    assert made["made_by"].to_list() == ["paraphrase by table"] * 2


@pytest.mark.parametrize(
    ("language", "query", "moved"),
    [
        ("en", "red running shoes", "running shoes red"),
        ("es", "taladro batería gris", "gris taladro batería"),
        ("ko", "레이싱 휠 가격", "휠 가격 레이싱"),
        ("en", "shoes for women", None),
        ("en", "rolling pin", None),
        ("en", "tv set black", None),
        ("en", "one two three four five", None),
        ("vi", "giày chạy nam", None),
        ("th", "พัดลม", None),
    ],
)
def test_where_the_translator_has_no_other_words_their_order_changes(
    language: str, query: str, moved: str | None
) -> None:
    def nothing(table: pl.DataFrame) -> pl.Series:
        return pl.Series([None] * table.height, dtype=pl.String)

    made = paraphrased(pairs([query], language=language).frame, nothing)
    assert made["query"].to_list() == [moved]
    assert made["made_by"].to_list() == [WORD_ORDER]


def test_a_translation_is_written_as_queries_are() -> None:
    def polite(table: pl.DataFrame) -> pl.Series:
        return table.select(pl.lit("  Rote Schuhe. ")).to_series().new_from_index(0, table.height)

    rows = pl.concat([pairs([query]).frame for query in ("red shoes", "Red Shoes")])
    assert translated(rows, polite, "de")["query"].to_list() == ["rote schuhe", "Rote Schuhe"]


def test_each_text_is_translated_once() -> None:
    asked, translate = asked_by(marked)
    made = translated(pairs(["tea", "pot"] * 50).frame, translate, "pl")
    assert [table.height for table in asked] == [2]
    assert made["query"].n_unique() == 2
    assert asked[0].columns == ["text", "source", "target"]
