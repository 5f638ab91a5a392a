from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.enrich.protected import Protected
from shopglot.enrich.translate_settings import NoTranslatorSettings, TranslateSettings
from tests.enrich.doubles import french

GUARD = Protected(("Acme", "hp", "Louis Vuitton", "Louis"))


def outcome(text: str) -> str | None:
    said: str | None = french(text).select(GUARD.outcome()).item()
    return said


@pytest.mark.parametrize(
    "text", ["2024", "18k", "100cm", "A52", "wh-1000xm4", "B07XJ8C8F5", "#12, 3.5", "ACME a52", "louis-vuitton 3"]
)
def test_numbers_codes_and_brands_alone_are_kept(text: str) -> None:
    assert outcome(text) == "kept-code"


@pytest.mark.parametrize(
    "text", ["robe 2", "3-teilig", "shampoo", "ps5コントローラー", "14インチ", "acmes", "100 cm noir"]
)
def test_a_word_beside_or_around_them_is_translated(text: str) -> None:
    assert outcome(text) is None


@pytest.mark.parametrize(
    ("text", "said", "mended"),
    [
        ("kopfhörer wh-1000xm4", "headphones WH 1000XM4", "headphones WH 1000XM4"),
        ("kabel 3,5 mm", "cable 3.5mm", "cable 3.5mm"),
        ("10.000 mah akku", "battery 10,000 mAh", "battery 10,000 mAh"),
        ("14インチ", "inch", "inch 14"),
        ("lampe 2", "lamp 12", "lamp 12 2"),
        ("3-teilig 3", "piece", "piece 3"),
        ("acme hp tinte", "ink for Acme", "ink for Acme hp"),
        ("sac louis vuitton", "bag", "bag louis vuitton"),
        ("shampoo", "shampoo", "shampoo"),
    ],
)
def test_only_what_was_lost_is_put_back(text: str, said: str, mended: str) -> None:
    assert GUARD.mended(pl.Series([text]), pl.Series([said])).to_list() == [mended]


@given(st.lists(st.tuples(st.text(max_size=20), st.one_of(st.none(), st.text(max_size=20))), max_size=10))
def test_a_translation_is_never_shortened_and_mended_once(rows: list[tuple[str, str | None]]) -> None:
    texts, said = (pl.Series([row[part] for row in rows], dtype=pl.String) for part in (0, 1))
    mended = GUARD.mended(texts, said)
    for before, after in zip(said, mended, strict=True):
        assert after is None if before is None else after is not None and after.startswith(before)
    assert GUARD.mended(texts, mended).to_list() == mended.to_list()


def settings(brands: Path | None) -> TranslateSettings:
    return TranslateSettings(translator=NoTranslatorSettings(), brands=brands, max_characters=9)


def test_brands_are_read_from_a_file_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "brands.txt"
    path.write_text("\ufeffAcme \n\n!!\nLouis Vuitton\nAcme\n", encoding="utf-8")
    assert Protected.of(settings(path)) == Protected(("Acme", "Louis Vuitton"), 9)
    assert Protected.of(settings(None)) == Protected((), 9)


def test_brands_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the brands .*absent\.txt cannot be read"):
        Protected.of(settings(tmp_path / "absent.txt"))
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(DataError, match="name a text file in UTF-8"):
        Protected.of(settings(tmp_path / "latin.txt"))
