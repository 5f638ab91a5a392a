"""Whatever is said to be clean, cleaning leaves as it is."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean, clean_paths, clean_texts
from shopglot.curate.plain import is_clean, is_clean_path, is_clean_title
from shopglot.curate.settings import CurateSettings

PLAIN = (
    "green tea", "écouteurs", "抱き枕 カバー", "سماعات", "หมอน", "น้ำยาซักผ้า", "ベル・ビーズ",
    "figuras, esculturas", "4x4 t-shirt (m & m)", "none",
)  # fmt: skip
LIKELY = "ab é,&;ア・、’\u0e4d\u0e32 ½ﬁİßς\u0307\u0e33ー-'/().+\\u>™´\t"

written = st.one_of(st.text(LIKELY, max_size=12), st.text(max_size=12), st.sampled_from(PLAIN))


@given(st.lists(written, min_size=1, max_size=30))
def test_texts_that_are_clean_are_not_changed(texts: list[str]) -> None:
    clean_ones = pl.Series([text for text in texts if is_clean(text)], dtype=pl.String)
    assert clean_texts(clean_ones, lower_case=True).to_list() == clean_ones.to_list()


@given(st.lists(st.lists(written, min_size=1, max_size=3).map(",".join), min_size=1, max_size=20))
def test_paths_that_are_clean_are_not_changed(paths: list[str]) -> None:
    clean_ones = pl.Series([path for path in paths if is_clean_path(path)], dtype=pl.String)
    assert clean_paths(clean_ones, lower_case=True).to_list() == clean_ones.to_list()


@given(st.lists(written, min_size=1, max_size=20))
def test_pairs_of_clean_texts_have_no_flag(texts: list[str]) -> None:
    titles = [text for text in texts if is_clean_title(text)]
    columns = {"task": "QI", "query": titles, "target": titles[::-1], "english": titles}
    rows = Pairs.from_frame(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))
    assert clean(rows, CurateSettings()).frame.equals(rows.frame)


def test_what_shops_usually_write_is_found_clean() -> None:
    assert all(map(is_clean, PLAIN))
    assert is_clean_path("food,grocery,flour, baking and cooking")
    assert not is_clean_title("none")


def test_what_cleaning_may_change_is_not_called_clean() -> None:
    for text in ("", " tea", "a  b", "Tea", "tea &amp; mug", "ﬁsh", "3½", "levi´s", "i\u0307", "x" * 2001, "\\u00e9"):
        assert not is_clean(text)
    for path in ("", "food,,tea", "food, ,tea", "a,b ,c", "a > b", ",".join("abcdefghijklmnopq"), "none"):
        assert not is_clean_path(path)
