import sys

import polars as pl
import pytest

from shopglot.core.errors import RecipeError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.core.remembered import Remembered
from shopglot.curate.language import correct_languages
from shopglot.curate.settings import CurateSettings

TRAINED = ("en", "es", "fr", "ja", "ko", "pt")


def corrected(query: str, language: str | None, *languages: str) -> str | None:
    pairs = Pairs.of([Pair(task="QI", query=query, target="tea", language=language)])
    answer: str | None = correct_languages(pairs, CurateSettings(languages=languages or TRAINED))["language"][0]
    return answer


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("ワイヤレスイヤホン", "ja"),
        ("iphone ケース", "ja"),
        ("무선 이어폰", "ko"),
        ("หูฟังไร้สาย", "th"),
        ("%منتخب ايطالي", "ar"),
        ("чехол для телефона", "ru"),
        ("红色连衣裙", "ja"),
        ("zapatillas deportivas para mujer", "es"),
        ("accessoires pour téléphone portable", "fr"),
    ],
)
def test_a_query_in_another_language_gets_its_own(query: str, language: str) -> None:
    assert corrected(query, "en") == language


def test_a_script_that_no_asked_language_has_gets_its_most_usual_one() -> None:
    assert corrected("红色连衣裙", "en", "en", "fr") == "zh"
    assert corrected("чехол для телефона", "en", "en", "uk") == "uk"


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("baking", "en"),
        ("nighty", "en"),
        ("-40wd", "en"),
        ("sac", "en"),
        ("liqueurs", "en"),
        ("10 μm filter", "en"),
        ("sapatos", "pt"),
        ("чохол для телефону", "uk"),
        ("红色连衣裙", "zh"),
        ("case", "vi"),
        ("headphones with microphone", "xx"),
        ("12345", None),
    ],
)
def test_a_language_that_may_be_right_stays(query: str, language: str | None) -> None:
    assert corrected(query, language) == language


def test_an_absent_language_is_filled_in() -> None:
    assert corrected("zapatillas deportivas para mujer", None) == "es"


def test_the_languages_of_the_files_are_asked_for_when_none_are_named() -> None:
    queries = {"wireless headphones for kids": "en", "zapatillas deportivas para mujer": "en", "mochila escolar": "es"}
    pairs = Pairs.of(Pair(task="QI", query=query, target="x", language=code) for query, code in queries.items())
    assert correct_languages(pairs, CurateSettings())["language"].to_list() == ["en", "es", "es"]


def test_one_language_leaves_nothing_to_compare() -> None:
    assert corrected("zapatillas deportivas para mujer", "en", "en") == "en"
    assert corrected("zapatillas deportivas para mujer", "en", "en", "xx") == "en"


def test_the_file_keeps_its_word_and_the_rows_their_order() -> None:
    raw = pl.DataFrame(
        {"task": "QI", "query": ["tea", "чай чёрный", "tea"], "target": "x", "language": ["en", "en", "fr"]}
    ).with_columns(pl.col("language").alias("own:language"))
    pairs = correct_languages(Pairs.from_frame(raw), CurateSettings())
    assert pairs.frame.select("query", "language", "own:language").rows() == [
        ("tea", "en", "en"),
        ("чай чёрный", "ru", "en"),
        ("tea", "fr", "fr"),
    ]


def test_a_missing_lingua_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lingua", None)
    assert corrected("무선 이어폰", "en") == "ko"
    with pytest.raises(RecipeError, match=r"shopglot\[train\]"):
        corrected("wireless headphones", "en")


def test_what_lingua_said_before_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, memory = CurateSettings(languages=TRAINED), Remembered(limit=100)
    queries = ["zapatillas deportivas para mujer", "wireless headphones for kids", "mochila escolar barata"]
    pairs = Pairs.of(Pair(task="QI", query=query, target="x", language="en") for query in queries)
    expected = correct_languages(pairs, settings)["language"].to_list()
    assert set(expected) > {"en"}
    correct_languages(pairs.filter(pl.col("query") != queries[1]), settings, memory)
    assert correct_languages(pairs, settings, memory)["language"].to_list() == expected
    monkeypatch.setitem(sys.modules, "lingua", None)
    assert correct_languages(pairs, settings, memory)["language"].to_list() == expected


def test_correction_can_be_left_out() -> None:
    pairs = Pairs.of([Pair(task="QI", query="чай чёрный", target="x", language="en")])
    assert correct_languages(pairs, CurateSettings(correct_language=False))["language"].to_list() == ["en"]
