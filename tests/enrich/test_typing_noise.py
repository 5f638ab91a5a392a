import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.enrich.typing_noise import accents_left_out, other_spaces, typos
from tests.enrich.queries import pairs, some_draws

ROWS = 2_000


def all_typos(query: str, language: str = "en") -> set[str | None]:
    return set(typos(pairs([query] * ROWS, language=language).frame, some_draws(ROWS))["query"])


def all_spaces(query: str) -> set[str | None]:
    return set(other_spaces(pairs([query] * ROWS).frame, some_draws(ROWS))["query"])


def test_a_letter_is_swapped_left_out_doubled_or_struck_beside_its_key_inside_the_word() -> None:
    assert all_typos("pot") == {None}, "three letters are too few"
    assert all_typos("lamp") == {
        *("lmap", "lapm"),
        *("lmp", "lap"),
        *("laamp", "lammp"),
        *("lsmp", "lanp"),
    }


@pytest.mark.parametrize(
    ("query", "language", "typed"),
    [
        ("sac a main", "fr", "sac a mzin"),
        ("reizend", "de", "reitend"),
        ("reizend", "en", "reixend"),
        ("чайник", "ru", "чпйник"),
        ("чайник", "en", "чпйник"),
        ("سماعات", "ar", "سماغات"),
        ("thảm", "vi", "tham"),
        ("バッグ", "ja", "バック"),
        ("スニーカー", "ja", "スニーカ"),
        ("냉장고", "ko", "냉장거"),
        ("의자", "en", "의지"),
        ("떡볶이", "ko", "덕볶이"),
        ("เครื่อง", "th", "เครื้อง"),
        ("किताब", "hi", "कीताब"),
    ],
)
def test_the_keyboard_is_that_of_the_script_and_of_the_language(query: str, language: str, typed: str) -> None:
    assert typed in all_typos(query, language)


@pytest.mark.parametrize("query", ["12345 678", "tv", "漢字", "!!!! ????", "😀😀😀😀", "ชุดนอน", ""])
def test_what_nobody_mistypes_is_left_alone(query: str) -> None:
    assert all_typos(query) == {None}


@settings(max_examples=40)
@given(st.text(max_size=30), st.sampled_from(["en", "de", "ja", "ko", None]))
def test_a_typo_is_never_the_query_and_at_most_a_letter_longer_or_shorter(query: str, language: str | None) -> None:
    for typed in typos(pairs([query] * 20, language=language).frame, some_draws(20))["query"].drop_nulls():
        assert typed != query
        assert abs(len(typed) - len(query)) <= 1


def test_accents_are_left_out_and_german_has_two_ways_to() -> None:
    def bare(query: str, language: str) -> set[str]:
        return set(accents_left_out(pairs([query] * 50, language=language).frame, some_draws(50))["query"])

    assert bare("niño đèn łóżko ñandú", "es") == {"nino den lozko nandu"}
    assert bare("grüße schön", "de") == {"grusse schon", "gruesse schoen"}
    assert bare("йод ёлка が ผ้า", "ru") == {"йод елка が ผ้า"}


@pytest.mark.parametrize(
    ("query", "spaced"),
    [
        ("red tea pot", {"redtea pot", "red teapot"}),
        ("headphones", {"headp hones", "headpho nes"}),
        ("12 34", {None}),
        ("4 cups", {"4cups"}),
        ("usb16gb", {"usb 16gb", "usb16 gb"}),
        ("무선드릴", {"무선 드릴"}),
        ("懐中電灯", {"懐中 電灯"}),
        ("替えブラシ", {"替え ブラシ"}),
        ("お茶", {None}),
        ("らーめん", {None}),
        ("รองเท้า", {"รอง เท้า"}),
        ("سماعات", {None}),
        ("a b", {"ab"}),
        (" a ", {None}),
        ("", {None}),
    ],
)
def test_words_are_joined_and_split_where_people_do(query: str, spaced: set[str | None]) -> None:
    assert all_spaces(query) == spaced


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_spaces_are_all_that_changes(query: str) -> None:
    for typed in other_spaces(pairs([query] * 10).frame, some_draws(10))["query"].drop_nulls():
        assert typed != query
        assert typed.replace(" ", "") == query.replace(" ", "")
        assert abs(len(typed) - len(query)) == 1


def test_no_rows_are_typed_as_none() -> None:
    none = pairs(["tea"]).frame.clear()
    for change in (typos, other_spaces, accents_left_out):
        assert change(none, some_draws(0)).equals(none.cast({"query": pl.String}))
