"""From a finished run to a packed bundle, by the command line."""

import json
import resource
from pathlib import Path

import numpy as np
import pytest

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer, Scores
from shopglot.jobs import pack_run
from shopglot.pack.bundle import Bundle, load
from shopglot.pack.settings import PackSettings
from tests import shop
from tests.command import Command, refused
from tests.curate.files import json_lines
from tests.test_cli import recipe_for, rows

pytestmark = pytest.mark.usefixtures("full_precision")
FP32 = ("--precision", "fp32", "--engine", "onnxruntime")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> Path:
    """The folder of a finished run of one frozen encoder, with the file of its pairs beside it."""
    from shopglot.config import load_recipe
    from shopglot.pipeline import run

    folder = tmp_path_factory.mktemp("ran")
    learner = {"learner": "embedding", "tasks": ["QC"], "model": str(tiny_bert), "hidden": [4], "networks": 1}
    run(load_recipe(recipe_for(folder, [*rows()], learn=[learner])), folder / "run")
    json_lines(folder / "new.jsonl", [*rows(40)])
    return folder


@pytest.fixture(scope="module")
def packed(ran: Path) -> Path:
    out = ran / "packed"
    pack_run(ran / "run", out, PackSettings(precision="fp32", engine="onnxruntime"))
    return out


def test_a_run_is_packed_and_decides_as_before(shopglot: Command, ran: Path, tmp_path: Path) -> None:
    ended = shopglot("pack", ran / "run", "--out", tmp_path / "packed", *FP32)
    assert ended.code == 0, ended.err
    assert "decisions that flip" in ended.out
    pairs = shop.pairs(60, seed=9).of_task("QC")
    before, after = (load(folder).score(pairs) for folder in (ran / "run" / "bundle", tmp_path / "packed"))
    assert after.probability == pytest.approx(before.probability, abs=1e-4)


def test_the_manifest_says_how_it_was_packed_and_how_it_compares(packed: Path) -> None:
    facts = read_json(packed / "manifest.json")["packed"]
    assert facts["decided_anew"]
    assert facts["parity"]["flips"] == 0.0
    assert facts["settings"]["precision"] == "fp32"
    assert (packed / "README.md").is_file()


def test_two_bundles_are_compared_and_over_the_limit_the_exit_code_is_one(
    shopglot: Command, ran: Path, packed: Path, tmp_path: Path
) -> None:
    base, files = ran / "run" / "bundle", ran / "new.jsonl"
    ended = shopglot("parity", base, packed, files)
    assert (ended.code, "parity on 40 pairs" in ended.out) == (0, True), ended.err
    other = load(packed)
    strict = {task: own.model_copy(update={"threshold": 1.0}) for task, own in other.decision.tasks.items()}
    Bundle(other.scorer, other.decision.model_copy(update={"tasks": strict}), other.curate, other.facts).save(
        tmp_path / "strict"
    )
    ended = shopglot("parity", base, tmp_path / "strict", files)
    assert ended.code == 1
    assert "over the limit: " in ended.out


def test_a_bundle_alone_is_packed_by_given_pairs_and_keeps_its_decision(
    shopglot: Command, ran: Path, tmp_path: Path
) -> None:
    bundle = ran / "run" / "bundle"
    ended = shopglot("pack", bundle, "--out", tmp_path / "packed", "--pairs", ran / "new.jsonl", *FP32)
    assert ended.code == 0, ended.err
    assert load(tmp_path / "packed").decision == load(bundle).decision
    refused(shopglot("pack", bundle, "--out", tmp_path / "other"), "is no finished run")


class Turned:
    """A packer whose scorers say the opposite."""

    def __init__(self, *settings: object) -> None:
        """Take what a packer takes."""

    def packed(self, scorer: SavableScorer) -> SavableScorer:
        """Return the opposite of `scorer`."""
        return Opposite(scorer)


class Opposite:
    """A scorer that says the opposite of another."""

    def __init__(self, scorer: SavableScorer) -> None:
        """Take the other."""
        self.scorer = scorer

    def score(self, pairs: Pairs) -> Scores:
        """Return one minus its scores."""
        return np.asarray(1.0 - self.scorer.score(pairs))

    def save(self, folder: Path) -> None:
        """Write nothing."""


def test_what_decides_otherwise_is_not_written_and_the_worst_pairs_are_named(
    ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopglot.jobs.Packer", Turned)
    settings = PackSettings(max_flips=0.0, max_f1_change=0.0)
    with pytest.raises(BundleError, match=r"decisions flip, and 0.00% may.* the worst are QC-"):
        pack_run(ran / "run" / "bundle", tmp_path / "packed", settings, files=[ran / "new.jsonl"])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(shopglot: Command, ran: Path, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        ended = shopglot("pack", ran / "run", "--out", tmp_path / "packed", *FP32)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    refused(ended, f"{tmp_path / 'packed'}: ")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_measured(shopglot: Command, ran: Path, packed: Path, tmp_path: Path) -> None:
    figures = tmp_path / "bench.json"
    ended = shopglot("bench", packed, "--pairs", ran / "new.jsonl", "--requests", "5", "--out", figures)
    assert ended.code == 0, ended.err
    measured = json.loads(figures.read_text())
    assert 0 < measured["p50_ms"] <= measured["p95_ms"] <= measured["p99_ms"]
    assert measured["pairs_per_second"] > 0
    assert measured["loaded_mib"] <= measured["peak_mib"]
    assert "a request of 50 candidates, p99 of 5" in ended.out


def test_without_a_file_simulated_pairs_are_scored(shopglot: Command, packed: Path) -> None:
    ended = shopglot("bench", packed, "--size", "20", "--requests", "2", "--candidates", "3")
    assert ended.code == 0, ended.err
    assert "20 distinct pairs" in ended.out
