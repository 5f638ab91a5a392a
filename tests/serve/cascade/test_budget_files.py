"""The command line of budgets, from bundles to a routing that scores."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.files import sha256
from shopglot.pack.bundle import Bundle
from shopglot.serve.cascade.routing import Routing
from tests import shop
from tests.command import Command
from tests.pack.conftest import embedding, lexical

__all__ = ["embedding", "lexical"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, lexical: Bundle, embedding: Bundle) -> Path:
    """Return a folder with two bundles and a file of labelled pairs."""
    folder = tmp_path_factory.mktemp("budget")
    lexical.save(folder / "small" / "bundle")
    embedding.save(folder / "big" / "bundle")
    targets = {"QC": "category_path", "QI": "item_title"}
    named = [pl.when(pl.col("task") == task).then("target").alias(name) for task, name in targets.items()]
    labelled = shop.pairs(160, seed=31).frame.select("id", "task", "language", "label", *named, origin_query="query")
    labelled.write_ndjson(folder / "labelled.jsonl")
    return folder


def test_a_budget_is_a_routing_that_scores_and_says_who_decided(folder: Path, shopglot: Command) -> None:
    bundles, labelled, out = (folder / "big" / "bundle", folder / "small" / "bundle"), folder / "labelled.jsonl", folder
    made = shopglot("budget", *bundles, "--files", labelled, "--out", out / "budget", "--pairs", "1e6")
    assert made.code == 0, made.err
    assert "what each bundle costs here" in made.out
    assert "1,000,000 pairs:" in made.out
    routing = Routing.read(out / "budget" / "routing.json")
    assert {stage.bundle for stage in routing.stages} <= {"../small/bundle", "../big/bundle"}
    frontier = json.loads((out / "budget" / "frontier.json").read_text())
    assert set(frontier["tasks"]) == {"QC", "QI"}
    assert (out / "budget" / "frontier-QC.svg").read_text().startswith("<svg")
    scored = shopglot("score", out / "budget" / "routing.json", labelled, "--out", out / "scored.jsonl")
    assert scored.code == 0, scored.err
    rows = pl.read_ndjson(out / "scored.jsonl")
    assert rows.height == 160
    assert set(rows["stage"]) <= {stage.name for stage in routing.stages}
    assert "decided by" in scored.out


def test_a_budget_that_nothing_meets_says_so(folder: Path, shopglot: Command) -> None:
    bundles, labelled = (folder / "big" / "bundle", folder / "small" / "bundle"), folder / "labelled.jsonl"
    made = shopglot("budget", *bundles, "--files", labelled, "--out", folder / "short", "--hours", "0.0000001")
    assert made.code == 0, made.err
    assert "no routing fits the time; this is the cheapest one" in made.out


def test_pairs_without_labels_are_refused(folder: Path, shopglot: Command) -> None:
    pl.read_ndjson(folder / "labelled.jsonl").drop("label").write_ndjson(folder / "unlabelled.jsonl")
    ended = shopglot(
        "budget", folder / "big" / "bundle", "--files", folder / "unlabelled.jsonl", "--out", folder / "no"
    )
    assert ended.code == 2
    assert "has no labelled pairs" in ended.err


def test_pairs_that_a_bundle_learned_from_are_refused(folder: Path, lexical: Bundle, shopglot: Command) -> None:
    labelled, out = folder / "labelled.jsonl", folder / "seen"
    facts = lexical.facts | {"data": {"train.jsonl": sha256(labelled)}, "learned": ["train.jsonl"]}
    replace(lexical, facts=facts).save(out / "bundle")
    ended = shopglot("budget", folder / "big" / "bundle", out / "bundle", "--files", labelled, "--out", out / "budget")
    assert ended.code == 2
    assert f"{out / 'bundle'} learned from {labelled}" in ended.err
