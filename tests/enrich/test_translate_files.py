"""Files of pairs get their translations, by the function and by the commands."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner, Result

from shopglot.cli import app
from shopglot.config import load_translate_settings
from shopglot.core.errors import DataError, RecipeError
from shopglot.enrich.translate_settings import Tags, TranslateSettings
from shopglot.jobs import translate_files
from tests.curate.files import Row, category_row, json_lines

ROWS: list[Row | str | bytes] = [
    category_row(1, origin_query="Robe Rouge", language="fr", shelf="A7"),
    category_row(2, origin_query="robe rouge", language="fr", label=1),
    category_row(3, origin_query="green tea", language="en"),
    category_row(4, origin_query="wh-1000xm4", language="fr"),
    category_row(5, origin_query="grüner tee", language="de", translated_query="Green Tea!"),
    category_row(6, origin_query="lampe acme 14 cm", language="fr", translated_query=" "),
    category_row(7, origin_query="", language="fr"),
    "{",
]


def settings_file(folder: Path, **settings: Any) -> Path:
    (folder / "known.csv").write_text("text,source,translation\nrobe rouge,fr,red dress\nlampe acme 14 cm,fr,lamp\n")
    (folder / "brands.txt").write_text("Acme\n")
    path = folder / "table.yaml"
    content = {"translator": {"kind": "table", "files": ["known.csv"]}, "brands": "brands.txt", **settings}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def shopglot(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_rows_come_back_as_they_were_with_their_translation(tmp_path: Path, name: str) -> None:
    given, out = json_lines(tmp_path / "in.jsonl", ROWS), tmp_path / name
    counts = translate_files([given], load_translate_settings(settings_file(tmp_path)), out)
    table = pl.read_parquet(out) if out.suffix == ".parquet" else pl.read_ndjson(out)
    assert table["translated_query"].to_list() == [
        "red dress", "red dress", "green tea", "wh-1000xm4", "Green Tea!", "lamp 14 acme", None,
    ]  # fmt: skip
    assert table["origin_query"].to_list() == [row["origin_query"] for row in ROWS if isinstance(row, dict)]
    assert table["shelf"].to_list() == ["A7", *[None] * 6]
    assert (counts["rows"], counts["quarantined"]) == (8, 1)
    assert {name: counts[name] for name in ("new", "kept-same-language", "kept-code", "kept-empty", "put-back")} == {
        "new": 2, "kept-same-language": 1, "kept-code": 1, "kept-empty": 1, "put-back": 1,
    }  # fmt: skip
    assert (tmp_path / "out.quarantine.jsonl").is_file()


def test_translated_files_can_be_translated_again(tmp_path: Path) -> None:
    settings = load_translate_settings(settings_file(tmp_path))
    once, twice = tmp_path / "once.jsonl", tmp_path / "twice.jsonl"
    translate_files([json_lines(tmp_path / "in.jsonl", ROWS)], settings, once)
    counts = translate_files([once], settings, twice)
    assert once.read_bytes() == twice.read_bytes()
    assert "new" not in counts


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    given = json_lines(tmp_path / "in.jsonl", ROWS)
    before = {*tmp_path.iterdir()}
    settings = TranslateSettings.model_validate({"translator": {"kind": "none"}})
    counts = translate_files([given], settings, tmp_path / "out.jsonl", dry_run=True)
    assert counts["new"] == 2
    assert {*tmp_path.iterdir()} == before


def test_another_language_than_english_is_refused(tmp_path: Path) -> None:
    settings = load_translate_settings(settings_file(tmp_path, target="de"))
    with pytest.raises(RecipeError, match="a translated query is English"):
        translate_files([json_lines(tmp_path / "in.jsonl", ROWS)], settings, tmp_path / "out.jsonl")
    with pytest.raises(DataError, match="would be replaced"):
        translate_files([tmp_path / "in.jsonl"], settings, tmp_path / "in.jsonl")


def test_from_a_model_to_a_second_run_that_asks_it_nothing(tiny_models: dict[Tags, Path], tmp_path: Path) -> None:
    given = json_lines(
        tmp_path / "in.jsonl", [category_row(n, origin_query=f"robe {n * 'o'}", language="fr") for n in range(9)]
    )
    converted = shopglot("convert-translator", tiny_models["madlad"], "--out", tmp_path / "model")
    assert converted.exit_code == 0, converted.output
    translator = tmp_path / "fast.yaml"
    settings = {"kind": "ctranslate2", "model": str(tmp_path / "model"), "tags": "madlad", "max_new_tokens": 5}
    translator.write_text(yaml.safe_dump({"translator": settings, "cache": "kept"}), encoding="utf-8")
    command = ("translate", given, "--translator", translator, "--out", tmp_path / "out.jsonl")
    assert "new: 9" in shopglot(*command, "--dry-run").output
    assert not (tmp_path / "out.jsonl").exists()
    first = shopglot(*command)
    assert first.exit_code == 0, first.output
    written = (tmp_path / "out.jsonl").read_bytes()
    assert len(json.loads(written.splitlines()[0])["translated_query"]) > 0
    again = shopglot(*command)
    assert "new" not in again.output
    assert (tmp_path / "out.jsonl").read_bytes() == written
    assert (tmp_path / "kept" / "database").is_dir()
    assert "new: 9" in shopglot(*command, "--cache", tmp_path / "other", "--dry-run").output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("translator: {model: x, tags: nllb}", "translator: the key 'kind' is missing"),
        ("translator: {kind: seq2seq, modl: x, tags: nllb}", "unknown key 'translator.modl'; did you mean 'model'?"),
        ("translator: {kind: seq2seq, model: x}", "the key 'translator.tags' is missing"),
        ("translator: {kind: seq2seq, model: x, tags: nlb}", "translator.tags: .*'nllb'.*, not 'nlb'"),
        ("translator: {kind: none}\ntarge: de", "unknown key 'targe'; did you mean 'target'?"),
        ("- x", "holds no translation; it needs the keys translator"),
        (None, "no translation .*settings.yaml; name a YAML file"),
    ],
)
def test_settings_that_cannot_be_followed_are_one_sentence(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "settings.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_translate_settings(path)
