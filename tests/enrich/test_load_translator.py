from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import BundleError, DataError, RecipeError
from shopglot.enrich.fast_seq2seq import convert
from shopglot.enrich.load_translator import load_translator, open_cache, translator_name
from shopglot.enrich.translate_settings import Tags, TranslateSettings
from tests.enrich.doubles import french

TEXTS = ["robe rouge", "lampe"]


def settings(translator: dict[str, Any], **changes: Any) -> TranslateSettings:
    return TranslateSettings.model_validate({"translator": translator, **changes})


def resolve(model: str) -> str:
    return model.removeprefix("embedded:")


def test_nothing_is_a_translator_too() -> None:
    translator = load_translator(settings({"kind": "none"}), resolve)
    assert (translator.name, translator.translate(TEXTS, "fr", "en")) == ("none", [None, None])


def test_each_kind_translates_by_its_settings(tiny_models: dict[Tags, Path], tmp_path: Path) -> None:
    (tmp_path / "known.csv").write_text("text,source,translation\nlampe,fr,lamp\n")
    table = load_translator(settings({"kind": "table", "files": [tmp_path / "known.csv"]}), resolve)
    assert table.translate(TEXTS, "fr", "en") == [None, "lamp"]
    model = f"embedded:{tiny_models['nllb']}"
    slow = load_translator(settings({"kind": "seq2seq", "model": model, "tags": "nllb"}), resolve)
    convert(str(tiny_models["nllb"]), tmp_path / "fast", "float32")
    fast = load_translator(settings({"kind": "ctranslate2", "model": tmp_path / "fast", "tags": "nllb"}), resolve)
    assert slow.translate(TEXTS, "fr", "en") == fast.translate(TEXTS, "fr", "en")
    assert slow.name.startswith("seq2seq nllb@")
    assert fast.name.startswith("ctranslate2 fast@")


def test_the_name_says_whatever_changes_what_is_written(tiny_models: dict[Tags, Path], tmp_path: Path) -> None:
    def name(model: Path, **changes: Any) -> str:
        return translator_name(settings({"kind": "seq2seq", "model": str(model), "tags": "nllb", **changes}), resolve)

    copy = tmp_path / "nllb"
    copy.mkdir()
    for file in tiny_models["nllb"].iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    same = name(tiny_models["nllb"])
    assert name(copy) == same
    assert name(copy, batch_tokens=7, sources=["fr"]) == same
    assert len({same, name(copy, beams=2), name(copy, no_repeat=None), name(copy, dtype="bfloat16")}) == 4
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert name(copy) != same
    assert str(tmp_path) not in same


@pytest.mark.parametrize(
    ("translator", "target", "said"),
    [
        ({"kind": "none"}, "eng", "no language 'eng'; .* such as .*en"),
        ({"kind": "seq2seq", "model": "m", "tags": "m2m"}, "nb", "no language 'nb'"),
        ({"kind": "seq2seq", "model": "m", "tags": "nllb", "sources": ["frr"]}, "en", "no language 'frr'.* fr"),
        ({"kind": "few-shot"}, "de", "few-shot translates into 'en', not 'de'"),
    ],
)
def test_an_unknown_language_in_the_settings_is_refused(translator: dict[str, Any], target: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load_translator(settings(translator, target=target), resolve)


def test_wrong_tags_are_no_unknown_language_of_a_text(tiny_models: dict[Tags, Path]) -> None:
    model = str(tiny_models["madlad"])
    translator = load_translator(settings({"kind": "seq2seq", "model": model, "tags": "nllb"}), resolve)
    with pytest.raises(BundleError, match="are its tags 'nllb'"):
        translator.translate(TEXTS, "fr", "en")


def test_what_is_absent_is_said_before_anything_is_translated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no table"):
        load_translator(settings({"kind": "table", "files": [tmp_path / "absent.csv"]}), resolve)
    with pytest.raises(BundleError, match="is no converted model"):
        load_translator(settings({"kind": "ctranslate2", "model": tmp_path, "tags": "nllb"}), resolve)


def test_only_what_is_computed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_cache(settings({"kind": "none"})) is None
    assert open_cache(settings({"kind": "table", "files": [tmp_path / "a.csv"]})) is None
    monkeypatch.setenv("SHOPGLOT_CACHE", str(tmp_path / "user"))
    for place, folder in ((tmp_path / "own", tmp_path / "own"), (None, tmp_path / "user" / "translations")):
        cache = open_cache(settings({"kind": "few-shot"}, cache=place))
        assert cache is not None
        cache.known(french("robe"), "model")
        assert (folder / "database").is_dir()


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no model, for it holds no files"):
        load_translator(settings({"kind": "seq2seq", "model": str(tmp_path), "tags": "nllb"}), resolve)
