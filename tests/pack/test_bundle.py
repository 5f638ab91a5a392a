import json
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

import shopglot
from shopglot.core.errors import BundleError, DataError
from shopglot.core.files import read_json, sha256, write_json
from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.merge.blend import Blend, Mean
from shopglot.merge.decide import Decision
from shopglot.merge.slices import SliceThreshold
from shopglot.pack.bundle import Bundle
from tests import shop

NEW = shop.pairs(40, seed=99)


@pytest.fixture
def saved(lexical: Bundle, tmp_path: Path) -> Path:
    lexical.save(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_bundle_decides_the_same_after_saving_and_loading(lexical: Bundle, saved: Path) -> None:
    before, after = lexical.score(NEW), Bundle.load(saved).score(NEW)
    assert after.probability == pytest.approx(before.probability, abs=1e-9)
    assert after.decision.tolist() == before.decision.tolist()
    assert after.threshold.tolist() == before.threshold.tolist()
    assert 0 < before.decision.mean() < 1
    assert Bundle.load(saved).facts == lexical.facts


def test_a_bundle_with_an_encoder_decides_the_same_after_saving_and_loading(embedding: Bundle, tmp_path: Path) -> None:
    embedding.save(tmp_path / "bundle")
    after = Bundle.load(tmp_path / "bundle").score(NEW)
    assert after.probability == pytest.approx(embedding.score(NEW).probability, abs=1e-5)


def test_a_bundle_is_loaded_by_its_name_and_answers_single_pairs(saved: Path) -> None:
    pair = Pair(task="QC", query="Black tea", target="food,tea,black tea")
    other = Pair(task="QC", query="garden hose cheap", target="food,tea,black tea")
    decided = shopglot.load(str(saved)).score(iter([pair, other]))
    assert decided.probability[0] > decided.threshold[0] > decided.probability[1]
    assert shopglot.load(saved).score([]).probability.shape == (0,)


def test_the_manifest_lists_every_other_file_with_its_checksum(saved: Path) -> None:
    files = {path.relative_to(saved).as_posix(): sha256(path) for path in saved.rglob("*") if path.is_file()}
    del files["manifest.json"]
    assert read_json(saved / "manifest.json")["files"] == files


def changed_byte(folder: Path) -> None:
    weights = folder / "scorer" / "QI.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)


def lost_file(folder: Path) -> None:
    (folder / "scorer" / "QI.safetensors").unlink()


def newer_format(folder: Path) -> None:
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", manifest | {"format": manifest["format"] + 1})


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def half_a_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text[: len(text) // 2], encoding="utf-8")


def other_json(folder: Path) -> None:
    write_json(folder / "manifest.json", ["no", "manifest"])


def no_format(folder: Path) -> None:
    write_json(folder / "manifest.json", read_json(folder / "manifest.json") | {"format": 0})


def infinite_format(folder: Path) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace('"format": 2', '"format": 1e999'), encoding="utf-8")


def nothing_listed(folder: Path) -> None:
    write_json(folder / "manifest.json", read_json(folder / "manifest.json") | {"files": {}})


def all_lost(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (changed_byte, "QI.safetensors has changed since the bundle was written"),
        (lost_file, "lacks scorer/QI.safetensors, which its manifest lists"),
        (newer_format, "has bundle format 3, this version reads up to 2; upgrade shopglot"),
        (no_manifest, "is not a bundle: it has no manifest.json"),
        (half_a_manifest, "manifest.json is damaged (JSONDecodeError"),
        (other_json, "manifest.json is damaged (TypeError"),
        (no_format, "manifest.json is damaged (ValueError: format 0 with "),
        (infinite_format, "manifest.json is damaged (OverflowError"),
        (nothing_listed, "manifest.json is damaged (ValueError: format 2 with 0 files)"),
        (all_lost, "is not a bundle: it has no manifest.json"),
    ],
)
def test_a_damaged_bundle_is_refused_in_one_sentence(saved: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(saved)
    with pytest.raises(BundleError) as refused:
        Bundle.load(saved)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def other_weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path = folder / "scorer" / "QC.safetensors"
    save_file(change(load_file(path)), path)


def cut_weights(folder: Path) -> None:
    path = folder / "scorer" / "QC.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


REPLACED: dict[str, Callable[[Path], None]] = {
    "no decision": lambda folder: write_json(folder / "decision.json", {"tasks": {"QC": {}}}),
    "unknown setting": lambda folder: write_json(folder / "curate.json", {"colour": "red"}),
    "no format": lambda folder: write_json(folder / "format.json", ["both"]),
    "no template": lambda folder: write_json(folder / "scorer" / "scorer.json", {"kind": "lexical"}),
    "wrong shape": lambda folder: other_weights(folder, lambda own: {**own, "mean": own["mean"][:-1]}),
    "not a number": lambda folder: other_weights(folder, lambda own: {**own, "mean": own["mean"] * np.nan}),
    "absent tensor": lambda folder: other_weights(folder, lambda own: {"scale": own["scale"]}),
    "cut file": cut_weights,
}


@pytest.mark.parametrize("name", REPLACED)
def test_whole_files_that_make_no_model_are_refused_in_one_sentence(saved: Path, name: str) -> None:
    REPLACED[name](saved)
    manifest = read_json(saved / "manifest.json")
    manifest["files"] = {file: sha256(saved / file) for file in manifest["files"]}
    write_json(saved / "manifest.json", manifest)
    with pytest.raises(BundleError, match=r"^[^\n]*bundle is damaged \([^\n]*; copy the bundle again$"):
        Bundle.load(saved)


def test_a_single_pair_is_refused_with_how_to_ask(lexical: Bundle) -> None:
    with pytest.raises(DataError, match=r"put the one into a list: score\(\[pair\]\)"):
        lexical.score(Pair(task="QC", query="tea", target="food,tea"))  # type: ignore[arg-type]


def test_a_bundle_trained_on_text_cleaned_in_another_way_is_refused(saved: Path) -> None:
    facts = read_json(saved / "scorer" / "scorer.json")
    older = Template(FormatSettings(), CLEANING_VERSION - 1)
    facts["template"] |= {"cleaning": older.cleaning, "fingerprint": older.fingerprint}
    write_json(saved / "scorer" / "scorer.json", facts)
    manifest = read_json(saved / "manifest.json")
    manifest["files"]["scorer/scorer.json"] = sha256(saved / "scorer" / "scorer.json")
    write_json(saved / "manifest.json", manifest)
    with pytest.raises(BundleError, match="trained on text written in another way"):
        Bundle.load(saved)


def test_a_bundle_that_cannot_be_saved_leaves_nothing(lexical: Bundle, tmp_path: Path) -> None:
    unwritable = Bundle(lexical.scorer, lexical.decision, lexical.curate, {"name": object()})
    with pytest.raises(TypeError):
        unwritable.save(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("query", "target"), [("", "food,tea"), ("tea", ""), (" \u200b", "food,tea"), ("tea", "NaN")])
def test_a_pair_without_a_query_or_a_target_gets_the_prior(lexical: Bundle, query: str, target: str) -> None:
    decided = lexical.score([Pair(task="QC", query=query, target=target), *[Pair("QI", "tea", "Tea")]])
    assert decided.probability[0] == lexical.decision.tasks["QC"].prior


def test_raw_texts_score_as_clean_ones(lexical: Bundle, embedding: Bundle) -> None:
    raw = NEW.frame.with_columns(
        pl.col("query", "target").str.to_uppercase().map_elements(_decomposed, return_dtype=pl.String)
    )
    assert raw["query"].to_list() != NEW["query"].to_list()
    for bundle in (lexical, embedding):
        assert bundle.score(Pairs(raw)).probability == pytest.approx(bundle.score_clean(NEW).probability, abs=1e-5)


def test_paths_that_are_known_already_change_no_score(embedding: Bundle) -> None:
    again = embedding.knowing(shop.PATHS[:5])
    assert again.score(NEW).probability == pytest.approx(embedding.score(NEW).probability, abs=1e-5)


def test_a_new_branch_is_known_beside_the_old_ones_and_changes_no_product(embedding: Bundle) -> None:
    grown = embedding.knowing(["food,juice,apple juice", "food,juice,orange juice"])
    before, after = vectors(embedding.scorer), vectors(grown.scorer)
    assert set(after.paths) == {*before.paths, "food,juice,apple juice", "food,juice,orange juice"}
    items = NEW.of_task("QI")
    assert grown.score(items).probability == pytest.approx(embedding.score(items).probability, abs=1e-6)
    pair = [Pair(task="QC", query="apple juice", target="food,juice,apple juice")]
    assert not np.allclose(grown.score(pair).probability, embedding.score(pair).probability, atol=1e-9)
    assert "food,juice,apple juice" not in before.paths


def test_a_model_without_a_catalogue_is_the_same_whatever_is_known(lexical: Bundle) -> None:
    assert lexical.knowing(["food,juice"]).score(NEW).probability.tolist() == lexical.score(NEW).probability.tolist()


def test_a_row_says_which_text_of_its_query_was_read(lexical: Bundle, saved: Path) -> None:
    formats: dict[Task, FormatSettings] = {"QC": FormatSettings(query="both"), "QI": FormatSettings(query="english")}
    bundle = replace(lexical, format=formats)
    bundle.save(saved.with_name("translating"))
    pairs = [
        Pair("QC", "lampe", "home,lamps", english="lamp"),
        Pair("QI", "lampe", "Lamp", english="lamp"),
        Pair("QI", "lamp", "Lamp", english="lamp"),
        Pair("QC", "lampe", "home,lamps"),
        Pair("QC", "", "home,lamps", english="lamp"),
    ]
    for reader in (bundle, Bundle.load(saved.with_name("translating"))):
        assert read_by(reader, pairs) == ["both", "english", "original", "original", None]


def test_a_bundle_of_before_formats_were_kept_does_not_say_what_was_read(saved: Path) -> None:
    (saved / "format.json").unlink()
    manifest = read_json(saved / "manifest.json")
    del manifest["files"]["format.json"]
    write_json(saved / "manifest.json", manifest)
    assert read_by(Bundle.load(saved), [Pair("QC", "lampe", "home,lamps", english="lamp")]) == [None]


def read_by(bundle: Bundle, pairs: list[Pair]) -> list[str | None]:
    read = bundle.score(pairs).read
    assert read is not None
    return read.to_list()


def vectors(scorer: SavableScorer) -> EmbeddingScorer:
    """Return the scorer inside the blend, which may be that of a mean or its members as one."""
    assert isinstance(scorer, Blend)
    member = scorer.scorers["vectors"]
    inner = member.scorers[0] if isinstance(member, Mean) else member
    assert isinstance(inner, EmbeddingScorer)
    return inner


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_a_bundle_holds_json_text_and_safetensors_alone(saved: Path) -> None:
    assert {path.suffix for path in saved.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    assert json.loads((saved / "manifest.json").read_text(encoding="utf-8"))["format"] == 2


@pytest.mark.parametrize(
    ("slices", "fields", "columns"),
    [
        ((), (), ()),
        ((SliceThreshold(language="fr", category=None, relevant=3, threshold=0.4),), (), ("language",)),
        ((), ("size", "brand"), ("own:brand", "own:size")),
    ],
)
def test_a_bundle_says_which_columns_its_answer_may_depend_on(
    lexical: Bundle, slices: tuple[SliceThreshold, ...], fields: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    tasks = {task: own.model_copy(update={"slices": slices}) for task, own in lexical.decision.tasks.items()}
    formats: dict[Task, FormatSettings] = {"QI": FormatSettings(item_fields=fields)}
    bundle = replace(lexical, decision=Decision(tasks=tasks), format=formats)
    assert bundle.columns_read == columns


def test_a_bundle_of_an_earlier_version_may_read_any_column(lexical: Bundle) -> None:
    assert "^own:.*$" in replace(lexical, format={}).columns_read
