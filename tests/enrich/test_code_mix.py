import pytest

from shopglot.enrich.code_mix import code_mixed
from tests.enrich.queries import pairs, some_draws


@pytest.mark.parametrize(
    ("language", "query", "english", "mixed"),
    [
        ("es", "aretes de aro", "hoop earrings", "earrings de aro"),
        ("es", "funda para maleta barata", "suitcase cover for travel", "cover para maleta barata"),
        ("es", "mopa", "spin mop", "mopa spin"),
        ("ko", "레이싱 휠", "racing wheel", "레이싱 wheel"),
        ("ko", "캔들", "aromatherapy candle", "aromatherapy 캔들"),
        ("ja", "二段ベッド はしご", "bunk bed ladder", "二段ベッド はしご ladder"),
        ("th", "พัดลม", "fan", "พัดลม fan"),
        ("de", "badetuch klein", "towel small size", "towel klein"),
        ("de", "rote winterjacke", "red jacket low price", "rote jacket"),
        (None, "teal pan", "green pot", "teal pot"),
    ],
)
def test_one_word_is_in_english(language: str | None, query: str, english: str, mixed: str) -> None:
    made = code_mixed(pairs([query], language=language, english=english).frame, some_draws(1))
    assert made["query"].item() == mixed
    assert made["english"].item() == english


@pytest.mark.parametrize(
    ("query", "english"),
    [
        ("red pot", "red pot"),
        ("mopa", "mop"),
        ("sony w5", "earphones"),
        ("tea", None),
        ("tea set", ""),
        ("tea set", "40"),
        ("", "tea set"),
    ],
)
def test_without_an_english_word_to_take_nothing_is_mixed(query: str, english: str | None) -> None:
    assert code_mixed(pairs([query], english=english).frame, some_draws(1))["query"].to_list() == [None]
