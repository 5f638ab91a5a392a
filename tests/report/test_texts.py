import polars as pl
import pytest

from shopglot.report.texts import text_columns


def shown(
    query: str, *, english: str | None = None, language: str = "fr", known: tuple[str, ...] = ()
) -> dict[str, str]:
    rows = pl.DataFrame(
        {"query": [query], "english": [english], "language": [language]}, schema_overrides={"english": pl.String}
    )
    return text_columns(rows, pl.Series([query, *known])).row(0, named=True)


@pytest.mark.parametrize(
    ("query", "script"),
    [
        ("écouteurs", "Latin"),
        ("наушники", "Cyrillic"),
        ("سماعات", "Arabic"),
        ("이어폰", "Hangul"),
        ("靴 ワイヤレス", "Han or kana"),
        ("หูฟัง", "Thai"),
        ("ακουστικά", "another script"),
        ("чехол iphone", "two scripts"),
        ("靴 nike", "two scripts"),
        ("2024", "no letters"),
    ],
)
def test_the_script_is_that_of_the_letters(query: str, script: str) -> None:
    assert shown(query)["script"] == script


@pytest.mark.parametrize(
    ("query", "words", "characters"),
    [
        ("shoe", "1 word", "1–5"),
        ("red shoes", "2 words", "6–10"),
        ("red shoes for kids", "3–4 words", "11–20"),
        ("red shoes for kids and their mothers", "5 words and more", "21–40"),
        ("赤い靴", "not spaced", "1–5"),
        ("a " * 30, "5 words and more", "41 and more"),
    ],
)
def test_lengths_are_in_bands_and_what_has_no_spaces_has_no_words(query: str, words: str, characters: str) -> None:
    found = shown(query)
    assert (found["query_words"], found["query_characters"]) == (words, characters)


@pytest.mark.parametrize(
    ("query", "english", "language", "mixed"),
    [
        ("zapatillas running", "running shoes", "es", "a word of its English text"),
        ("zapatillas running", None, "es", "none found"),
        ("zapatos de mujer", "women's shoes", "es", "none found"),
        ("funda iphone 케이스", "iphone case", "ko", "two scripts"),
        ("running shoes", "running shoes", "es", "none found"),
        ("running shoe", "running shoes", "en", "none found"),
        ("tv 4k", "4k tv", "es", "none found"),
    ],
)
def test_two_languages_show_by_two_scripts_or_by_a_word_of_the_translation(
    query: str, english: str | None, language: str, mixed: str
) -> None:
    assert shown(query, english=english, language=language)["code_mixed"] == mixed


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("sony wh-1000xm5", "letters and digits in a word"),
        ("-40wd", "letters and digits in a word"),
        ("iphone 15 케이스", "other numbers"),
        ("2024年 カレンダー", "other numbers"),
        ("écouteurs", "no digits"),
    ],
)
def test_codes_have_letters_beside_digits(query: str, codes: str) -> None:
    assert shown(query)["model_codes"] == codes


@pytest.mark.parametrize(
    ("query", "noise"),
    [
        ("%منتخب ايطالي", "stray signs"),
        ("shoes!!", "stray signs"),
        ("caf\ufffd", "stray signs"),
        ("cafÃ© crÃ¨me", "stray signs"),
        ("red red dress", "repeated word"),
        ("women's t-shirt (red)", "none found"),
        ("señora água", "none found"),
        ('"tea pot"', "none found"),
    ],
)
def test_noise_is_what_the_text_alone_shows(query: str, noise: str) -> None:
    assert shown(query)["noise"] == noise


def test_of_two_spellings_the_rarer_one_is_noise_and_none_where_they_are_equally_frequent() -> None:
    often = ("écouteurs",) * 3
    assert shown("ecouteurs", known=often)["noise"] == "rarer spelling"
    assert shown("écouteurs", known=(*often, "ecouteurs"))["noise"] == "none found"
    assert shown("ecouteurs", known=("écouteurs",))["noise"] == "none found"


def test_rows_keep_their_order_and_missing_texts_their_place() -> None:
    rows = pl.DataFrame({"query": ["b 2", "", "a", "b 2"], "english": [None, None, "x", None], "language": [None] * 4})
    found = text_columns(rows.cast(pl.String), rows["query"])
    assert found["model_codes"].to_list() == ["other numbers", "no digits", "no digits", "other numbers"]
    assert found.null_count().sum_horizontal().item() == 0
