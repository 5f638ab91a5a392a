import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.category import MAX_DEPTH, CategoryPath
from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import BLOCKING_FLAGS, MAX_CHARACTERS, clean, clean_paths, clean_texts
from shopglot.curate.settings import CurateSettings

PIECES = (
    "&", "amp;", "lt;", "#38;", "#x2c;", "\\", "u0026", "u00e9", "ud83d", "ude00", "n", "\"", "/", "İ", "I", "J",
    "\u030c", "ﬁ", "น", "้", "ำ", "ํ", "า", "，", "﹐", ",", " ", "\u3000", "\u00a0", "\u200b", "\u00ad", "\x00", "\x85",
    "ﷺ", "ﹰ", "gt;", ">", "3", "½", "⁄", "™", "´", "¨", "Σ", "ẞ", "ｶ", "ﾞ", "ㅋ", "ㅠ", "x", "nan", "\ufffd", "가",
    "e\u0301",
)  # fmt: skip
AWKWARD = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
SETTINGS = CurateSettings()


def cleaned(text: str, *, lower_case: bool = True) -> str:
    return str(clean_texts(pl.Series([text]), lower_case)[0])


def cleaned_path(text: str) -> str | None:
    path: str | None = clean_paths(pl.Series([text]), lower_case=True)[0]
    return path


def cleaned_pair(pair: Pair) -> dict[str, object]:
    return clean(Pairs.of([pair]), SETTINGS).frame.row(0, named=True)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  Red \t\n Shoes ", "red shoes"),
        ("ＵＳＢ　ｹｰﾌﾞﾙ", "usb ケーブル"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("caf\\u00e9", "café"),
        ("\\ud83d\\ude00 toy", "😀 toy"),
        ("\\ud83d toy", "toy"),
        ("h&amp;m", "h&m"),
        ("h&amp;amp;m", "h&m"),
        ("h&AMP;m", "h&m"),
        ("dolce&gabbana salt&not pepper", "dolce&gabbana salt&not pepper"),
        ('\\"tea\\" 1\\/2', '"tea" 1/2'),
        ("Soft\\nShoes", "soft shoes"),
        ("black\\nude", "black\\nude"),
        ("zero\u200bwidth\u00ad\ufeff", "zerowidth"),
        ("levi´s", "levi's"),
        ("Lego™ set", "lego set"),
        ("3½ inch", "3 1/2 inch"),
        ("น้ำหอม", "น้ำหอม"),
        ("İstanbul IŞIK", "istanbul işik"),
        ("GROẞE STRASSE", "große strasse"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("J\u030c", "ǰ"),
        ("x&#0;y", "x\ufffdy"),
    ],
)
def test_a_text_is_put_into_its_normal_form(raw: str, text: str) -> None:
    assert cleaned(raw) == text


def test_a_text_escaped_without_end_takes_no_time_without_end() -> None:
    assert cleaned("&" + "amp;" * 8_000 + "lt;").startswith("&amp;amp;")


def test_lower_case_can_be_left_alone() -> None:
    assert cleaned(" İPhone  ＵＳＢ ", lower_case=False) == "İPhone USB"


def test_a_missing_text_stays_missing() -> None:
    assert clean_texts(pl.Series([None, "a", None], dtype=pl.String), lower_case=True).to_list() == [None, "a", None]


@settings(deadline=None)
@given(AWKWARD, st.booleans())
def test_cleaning_a_clean_text_changes_nothing(text: str, lower_case: bool) -> None:
    once = cleaned(text, lower_case=lower_case)
    assert cleaned(once, lower_case=lower_case) == once


@settings(deadline=None, max_examples=50)
@given(st.lists(AWKWARD, max_size=6))
def test_a_text_is_cleaned_the_same_in_any_company(texts: list[str]) -> None:
    together = clean_texts(pl.Series(texts, dtype=pl.String), lower_case=True).to_list()
    assert together == [cleaned(text) for text in texts]


def test_a_long_text_is_cut_after_unescaping() -> None:
    assert cleaned("&amp;" * 3000) == "&" * MAX_CHARACTERS


@pytest.mark.parametrize(
    ("raw", "levels"),
    [
        ("Food,Grocery,Flour, Baking and Cooking", ("food", "grocery", "flour, baking and cooking")),
        ("food ,tea", ("food", "tea")),
        ("food , tea", ("food, tea",)),
        ("food,  tea", ("food, tea",)),
        ("food,\u00a0tea", ("food, tea",)),
        ("food，tea,green", ("food, tea", "green")),
        ("food&#44;tea,green", ("food, tea", "green")),
        ("food,,tea,", ("food", "tea")),
        ("food, ,tea", ("food", "tea")),
        ("food,\u200b,tea", ("food", "tea")),
        (" ,food", ("food",)),
        ("home &amp; garden,pots", ("home & garden", "pots")),
        ("Home > Garden &gt; Pots, large", ("home", "garden", "pots, large")),
        ("a, > b , c > d", ("a", "b, c", "d")),
        ("a>b", ("a>b",)),
    ],
)
def test_only_a_comma_that_touches_the_next_name_separates_levels(raw: str, levels: tuple[str, ...]) -> None:
    path = cleaned_path(raw)
    assert path is not None
    assert CategoryPath.parse(path).levels == levels


def test_a_path_of_nothing_but_commas_is_missing() -> None:
    assert cleaned_path(", ,，") is None


@settings(deadline=None)
@given(st.lists(AWKWARD, min_size=1, max_size=5).map(",".join))
def test_a_clean_path_can_be_parsed_and_stays_as_it_is(raw: str) -> None:
    path = cleaned_path(raw)
    if path is not None:
        assert str(CategoryPath.parse(path)) == path
        assert cleaned_path(path) == path


@settings(deadline=None)
@given(st.integers(MAX_CHARACTERS - 3, MAX_CHARACTERS + 3), st.sampled_from(["a", ", b", ",b"]))
def test_a_path_that_was_cut_can_still_be_parsed(length: int, end: str) -> None:
    path = cleaned_path("x" * length + end)
    assert path is not None
    assert len(path) <= MAX_CHARACTERS
    assert str(CategoryPath.parse(path)) == path


def pair(task: Task, target: str, **facts: str) -> Pair:
    return Pair(task=task, query=facts.pop("query", "tea"), target=target, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["nan", "None", "NULL", "", "  "])
@pytest.mark.parametrize("task", ["QC", "QI"])
def test_a_target_that_only_says_it_is_missing_is_flagged(task: Task, word: str) -> None:
    row = cleaned_pair(pair(task, word, english=word))
    assert (row["target"], row["flag"], row["english"]) == ("", "missing target", None)


def test_a_query_may_be_called_nan() -> None:
    row = cleaned_pair(pair("QI", "garlic naan bread", query="nan"))
    assert (row["query"], row["flag"]) == ("nan", None)


def test_an_empty_query_is_flagged_and_kept() -> None:
    row = cleaned_pair(pair("QI", "Green Tea", query="\u200b &nbsp; "))
    assert (row["query"], row["target"], row["flag"]) == ("", "green tea", "empty query")


def test_a_path_is_too_deep_from_one_level_beyond_the_limit() -> None:
    levels = [f"level {number}" for number in range(MAX_DEPTH + 1)]
    allowed, beyond = ",".join(levels[:-1]), ",".join(levels)
    assert cleaned_pair(pair("QC", allowed))["target"] == allowed
    row = cleaned_pair(pair("QC", beyond))
    assert (row["target"], row["flag"]) == ("", "path too deep")


def test_a_title_may_have_any_number_of_commas() -> None:
    assert cleaned_pair(pair("QI", "a,b" * 20))["flag"] is None


def test_long_texts_are_cut_and_can_still_be_judged() -> None:
    row = cleaned_pair(pair("QI", "x" * 2_001, query="tea"))
    assert (len(str(row["target"])), row["flag"]) == (MAX_CHARACTERS, "target cut")
    row = cleaned_pair(pair("QI", "tea", query="y " * 1_500))
    assert (len(str(row["query"])), row["flag"]) == (MAX_CHARACTERS - 1, "query cut")
    assert row["flag"] not in BLOCKING_FLAGS


@pytest.mark.parametrize(
    ("raw", "language"), [("pt-BR", "pt"), ("zh_Hant", "zh"), ("vn", "vi"), (" EN ", "en"), ("jp", "ja"), ("", None)]
)
def test_a_language_is_its_two_letter_code(raw: str, language: str | None) -> None:
    assert cleaned_pair(pair("QI", "tea", language=raw))["language"] == language


AWKWARD_PAIRS = st.builds(
    Pair,
    task=st.sampled_from(["QC", "QI"]),
    query=AWKWARD | st.just("x" * 2_100),
    target=st.lists(AWKWARD, max_size=20).map(",".join),
    language=st.sampled_from(["pt-BR", "vn", "", "EN", None]),
    english=st.none() | AWKWARD,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(AWKWARD_PAIRS, max_size=5), st.booleans())
def test_cleaning_clean_pairs_changes_nothing_and_drops_nothing(rows: list[Pair], lower_case: bool) -> None:
    choices = CurateSettings(lower_case=lower_case)
    pairs = Pairs.of(rows)
    once = clean(pairs, choices)
    assert once["id"].to_list() == pairs["id"].to_list()
    assert clean(once, choices).frame.equals(once.frame)


def test_the_columns_of_the_file_stay_raw() -> None:
    raw = pl.DataFrame({"task": ["QI"], "query": ["Tea "], "target": ["Green TEA"], "own:origin_query": ["Tea "]})
    assert clean(Pairs.from_frame(raw), SETTINGS)["own:origin_query"].to_list() == ["Tea "]


def test_no_rows_are_cleaned_to_no_rows() -> None:
    assert len(clean(Pairs.concat([]), SETTINGS)) == 0
