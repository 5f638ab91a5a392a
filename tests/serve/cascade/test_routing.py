"""The routing file, and the bundles it names."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from shopglot.core.errors import BundleError
from shopglot.pack.bundle import Bundle, load
from shopglot.serve.cascade.cascade import Band, Cascade, Cost, Unsure
from shopglot.serve.cascade.deciders import load_decider
from shopglot.serve.cascade.routing import Routing, routed_stage
from tests import shop
from tests.pack.conftest import embedding, lexical

__all__ = ["embedding", "lexical"]
NEW = shop.pairs(40, seed=99)
UNSURE: Unsure = {"QC": Band(0.3, 0.7), "QI": None}
LAST: Unsure = {"QC": None}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, lexical: Bundle, embedding: Bundle) -> Path:
    """Return the folder of a routing file with the two bundles that it names."""
    folder = tmp_path_factory.mktemp("routed")
    lexical.save(folder / "small" / "bundle")
    embedding.save(folder / "big" / "bundle")
    path = folder / "budget" / "routing.json"
    stages = (
        routed_stage("small", folder / "small" / "bundle", path, UNSURE, Cost(1e-5, 2e-5)),
        routed_stage("big", folder / "big" / "bundle", path, LAST, Cost(1e-3, 2e-3)),
    )
    Routing(stages=stages, expected={"seconds": 1e-4}, machine="made up").save(path)
    return folder


@pytest.fixture
def moved(saved: Path, tmp_path: Path) -> Path:
    """Return a copy of the same elsewhere."""
    return copytree(saved, tmp_path / "elsewhere") / "budget" / "routing.json"


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


def test_a_routing_file_reads_back_as_the_cascade_that_it_was(moved: Path) -> None:
    cascade = load_decider(moved)
    assert isinstance(cascade, Cascade)
    assert [(stage.name, stage.unsure) for stage in cascade.stages] == [("small", UNSURE), ("big", LAST)]
    stage = cascade.score_clean(NEW).stage
    assert stage is not None
    assert set(stage.filter(NEW["task"] == "QI")) == {"small"}
    assert set(stage) == {"small", "big"}


def test_a_folder_is_the_bundle_in_it(saved: Path) -> None:
    alone = load(saved / "big" / "bundle").score_clean(NEW).probability
    assert load_decider(saved / "big" / "bundle").score_clean(NEW).probability == pytest.approx(alone, abs=1e-6)


def test_a_score_of_a_cascade_does_not_depend_on_its_neighbours(saved: Path) -> None:
    cascade = load_decider(saved / "budget" / "routing.json")
    together = cascade.score_clean(NEW)
    for row in range(6):
        alone = cascade.score_clean(NEW.filter(np.arange(len(NEW)) == row))
        assert alone.probability[0] == pytest.approx(together.probability[row], abs=1e-5)


def test_a_bundle_that_has_changed_since_is_refused(moved: Path) -> None:
    changed(moved.parents[1] / "big" / "bundle" / "manifest.json", lambda held: held.update(name="another"))
    with pytest.raises(BundleError, match=r"is another bundle than .* was measured with; run `shopglot budget` again"):
        load_decider(moved)


def test_a_bundle_that_is_gone_is_named(moved: Path) -> None:
    (moved.parents[1] / "small" / "bundle" / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"routes to .*small/bundle, which is no bundle"):
        load_decider(moved)


def test_a_routing_of_a_newer_format_is_refused(moved: Path) -> None:
    changed(moved, lambda held: held.update(format=99, news=1))
    with pytest.raises(BundleError, match="has routing format 99, this version reads up to 1; upgrade shopglot"):
        load_decider(moved)


@pytest.mark.parametrize("unsure", [{}, {"QC": [0.9, 0.1]}, {"QC": [-0.5, 0.5]}, {"QC": [float("nan"), 0.5]}])
def test_bands_that_are_none_are_refused(moved: Path, unsure: dict[str, Any]) -> None:
    changed(moved, lambda held: held["stages"][0].update(unsure=unsure))
    with pytest.raises(BundleError, match="is no routing file"):
        load_decider(moved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "stages": []}', "\x80", "[" * 100_000])
def test_what_is_no_routing_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "routing.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match="is no routing file; name one that `shopglot budget` wrote"):
        load_decider(path)


def test_what_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere does not exist; name a bundle's folder or a routing file"):
        load_decider(tmp_path / "nowhere")
