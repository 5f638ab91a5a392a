from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopglot.core.errors import DataError, RecipeError
from shopglot.enrich.table import Table, table_name
from shopglot.enrich.translate_settings import TableSettings

ROWS = {
    "text": ["Robe  Rouge", "robe rouge", "thé", "ch", "vide", None],
    "source": ["fr", "fr", None, "de", "fr", "fr"],
    "translation": ["red dress", "scarlet gown", "tea", "", None, "nothing"],
}


def settings(*files: Path, **changes: Any) -> TableSettings:
    return TableSettings(files=files, **changes)


def write(path: Path, rows: dict[str, list[str | None]]) -> Path:
    table = pl.DataFrame(rows)
    if path.suffix == ".csv":
        table.write_csv(path)
    else:
        table.write_parquet(path)
    return path


@pytest.mark.parametrize("name", ["known.csv", "known.parquet"])
def test_known_texts_are_found_however_they_are_written(tmp_path: Path, name: str) -> None:
    table = Table.read(settings(write(tmp_path / name, ROWS)), "en")
    asked = ["ROBE rouge", "thé", "vide", "ch", "lampe"]
    assert table.translate(asked, "fr", "en") == ["red dress", "tea", None, None, None]
    assert table.translate(asked, "it", "en") == [None, "tea", None, None, None]


def test_without_a_column_of_languages_a_translation_holds_for_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", {"query": ["thé"], "english": ["tea"]})
    table = Table.read(settings(path, text="query", source=None, translation="english"), "en")
    assert table.translate(["thé"], "xx", "en") == ["tea"]


def test_of_two_files_the_first_one_counts(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{said}.csv", {"text": ["thé"], "source": ["fr"], "translation": [said]}) for said in "ab"
    ]
    assert Table.read(settings(*files), "en").translate(["thé"], "fr", "en") == ["a"]


def test_another_content_has_another_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    before = table_name(settings(path))
    assert table_name(settings(path)) == before
    write(path, {**ROWS, "translation": ["x"] * 6})
    assert table_name(settings(path)) != before


def test_another_target_is_refused(tmp_path: Path) -> None:
    table = Table.read(settings(write(tmp_path / "a.csv", ROWS)), "en")
    with pytest.raises(RecipeError, match="translations into en, not 'de'"):
        table.translate(["thé"], "fr", "de")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("absent.csv", None, "there is no table of translations .*absent.csv"),
        ("a.xlsx", b"x", "says no format; end it in .csv or .parquet"),
        ("a.csv", b"text,source\na,b\n", "has no column 'translation', but text, source"),
        ("a.parquet", b"PAR1 and then nothing", "cannot be read"),
        ("b.csv", b"", "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        Table.read(settings(tmp_path / name), "en")


def test_a_table_may_hold_translations_into_several_languages(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"text": ["lamp"] * 2, "source": ["en"] * 2, "target": ["fr", "pl"], "translation": ["lampe", "lampa"]}
    )
    rows.write_csv(tmp_path / "both.csv")
    table = Table.read(settings(tmp_path / "both.csv", target="target"), "en")
    assert [table.translate(["lamp"], "en", target)[0] for target in ("fr", "pl")] == ["lampe", "lampa"]
    with pytest.raises(RecipeError, match="holds translations into fr, pl, not 'de'"):
        table.translate(["lamp"], "en", "de")


@pytest.mark.parametrize("text", [["lampe"], b"\xff\xfe", {"a": 1}])
def test_a_column_that_holds_no_text_is_named(tmp_path: Path, text: object) -> None:
    pl.DataFrame({"text": [text], "source": ["fr"], "translation": ["lamp"]}).write_parquet(tmp_path / "known.parquet")
    with pytest.raises(DataError, match=r"the column 'text' of .*known\.parquet holds no text, but"):
        Table.read(settings(tmp_path / "known.parquet"), "en")


def test_what_the_reader_says_of_a_broken_table_stays_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "known.csv").write_text('text,source,translation\n"lampe\n')
    with pytest.raises(DataError, match="cannot be read") as refused:
        Table.read(settings(tmp_path / "known.csv"), "en")
    assert "\n" not in str(refused.value)
