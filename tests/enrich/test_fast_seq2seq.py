from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import BundleError, RecipeError
from shopglot.enrich.fast_seq2seq import FastSeq2Seq, convert
from shopglot.enrich.seq2seq import Seq2Seq
from shopglot.enrich.translate_settings import CTranslate2Settings, Seq2SeqSettings, Tags
from tests.enrich.conftest import FAMILIES
from tests.enrich.tiny_translators import TEXTS


@pytest.fixture(scope="module")
def exact(tiny_models: dict[Tags, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[Tags, Path]:
    """The models converted in float32."""
    folder = tmp_path_factory.mktemp("converted")
    for family, model in tiny_models.items():
        convert(str(model), folder / family, "float32")
    return {family: folder / family for family in tiny_models}


def settings(model: Path, tags: Tags, **changes: Any) -> CTranslate2Settings:
    return CTranslate2Settings(**{"model": model, "tags": tags, "max_new_tokens": 12, **changes})


@pytest.mark.parametrize("family", FAMILIES)
def test_in_float32_it_writes_what_transformers_writes(
    tiny_models: dict[Tags, Path], exact: dict[Tags, Path], family: Tags
) -> None:
    folder = str(tiny_models[family])
    slow = Seq2Seq("slow", Seq2SeqSettings(model=folder, tags=family, max_new_tokens=12, no_repeat=None), folder)
    fast = FastSeq2Seq("fast", settings(exact[family], family, no_repeat=None))
    written = fast.translate(TEXTS, "fr", "en")
    assert written == slow.translate(TEXTS, "fr", "en")
    assert len(set(written)) > 1


def test_the_default_is_eight_bits_and_the_folder_is_enough(tiny_models: dict[Tags, Path], tmp_path: Path) -> None:
    convert(str(tiny_models["nllb"]), tmp_path / "small")
    fast = FastSeq2Seq("fast", settings(tmp_path / "small", "nllb", batch_tokens=30))
    assert fast._model.compute_type.startswith("int8")
    assert len(fast.translate(TEXTS, "fr", "en")) == len(TEXTS)
    assert (tmp_path / "small" / "tokenizer").is_dir()


def test_a_folder_of_another_use_is_not_replaced(tiny_models: dict[Tags, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RecipeError, match="holds other files"):
        convert(str(tiny_models["nllb"]), tmp_path)


def test_what_is_no_converted_model_is_one_sentence(exact: dict[Tags, Path], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no model\.bin; write one with shopglot convert-translator"):
        FastSeq2Seq("x", settings(tmp_path, "nllb"))
    convert_again = tmp_path / "cut"
    convert_again.mkdir()
    for file in [path for path in exact["nllb"].rglob("*") if path.is_file()]:
        copy = convert_again / file.relative_to(exact["nllb"])
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes()[: 2_000 if file.name == "model.bin" else None])
    with pytest.raises(BundleError, match=r"is damaged .*; convert the model again"):
        FastSeq2Seq("x", settings(convert_again, "nllb"))


def test_a_model_that_cannot_be_converted_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be loaded without pickle"):
        convert(str(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()
