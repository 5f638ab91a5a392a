"""A cascade behind HTTP, and items with fields."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from shopglot.core.errors import BundleError
from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided
from shopglot.pack.bundle import Bundle
from shopglot.serve.cascade.cascade import Band, Cascade, Cost, Stage, Unsure
from shopglot.serve.cascade.routing import Routing, routed_stage
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.model import tasks_of
from shopglot.serve.http.run import Given, load_served
from tests import shop
from tests.pack.conftest import embedding, lexical
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords

__all__ = ["embedding", "lexical"]
MIDDLE: Unsure = {"QI": Band(0.3, 0.7)}
HALF = {"query": "green tea", "target": "black tea"}
PAIRS = {"pairs": [HALF, {"query": "tea", "target": "tea"}]}


class Branded(SharedWords):
    """Reads the brand of an item beside its title."""

    @property
    def columns_read(self) -> tuple[str, ...]:
        return ("language", "own:brand")

    def score_clean(self, pairs: Pairs) -> Decided:
        brands = pairs["own:brand"].fill_null("") if "own:brand" in pairs.frame.columns else ""
        return super().score_clean(Pairs(pairs.frame.with_columns(target=pairs["target"] + " " + brands)))


def client_of(decider: SharedWords | Cascade, **settings: float) -> TestClient:
    limits = FEW_LANGUAGES.model_copy(update=settings)
    return TestClient(
        create_app(decider, limits, Extras(tasks=("QI",) if isinstance(decider, Cascade) else ("QC", "QI")))
    )


def cascade(cost: float) -> Cascade:
    second = Stage("second", SharedWords(), {"QI": None}, Cost(cost, 0.0))
    return Cascade((Stage("first", SharedWords(), MIDDLE), second))


@pytest.fixture(scope="module")
def branded() -> Iterator[TestClient]:
    with client_of(Branded()) as client:
        yield client


def test_the_answer_says_which_stage_decided_and_the_metrics_count_it() -> None:
    with client_of(cascade(cost=0.0)) as client:
        results = client.post("/v1/relevance", json=PAIRS).json()["results"]
        counted = client.get("/metrics").text
    assert [(each["stage"], each["cut_short"]) for each in results] == [("second", False), ("first", False)]
    assert 'shopglot_stage_pairs_total{cut_short="no",stage="second"} 1.0' in counted


def test_a_stage_that_would_take_too_long_is_not_asked_and_the_answer_says_so() -> None:
    with client_of(cascade(cost=60.0), answer_seconds=0.5) as client:
        results = client.post("/v1/relevance", json=PAIRS).json()["results"]
    assert [(each["stage"], each["cut_short"]) for each in results] == [("first", True), ("first", False)]


def test_a_single_model_has_no_stages(branded: TestClient) -> None:
    (result,) = branded.post("/v1/relevance", json={"pairs": [HALF]}).json()["results"]
    assert (result["stage"], result["cut_short"]) == (None, False)


def test_the_fields_that_the_model_reads_of_an_item_are_handed_to_it(branded: TestClient) -> None:
    pairs = [HALF, {**HALF, "fields": {"brand": "green"}}]
    results = branded.post("/v1/relevance", json={"pairs": pairs}).json()["results"]
    assert [each["probability"] for each in results] == pytest.approx([0.5, 0.95])


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ({**HALF, "fields": {"colour": "red"}}, "the model reads brand of an item; leave out all others"),
        ({**HALF, "task": "QC", "fields": {"brand": "x"}}, "a category path has none"),
    ],
)
def test_fields_that_are_not_read_are_refused(branded: TestClient, pair: dict[str, object], reason: str) -> None:
    answer = branded.post("/v1/relevance", json={"pairs": [pair]})
    assert (answer.status_code, answer.json()["error_type"]) == (422, "Validation")
    assert reason in answer.json()["error"]


def test_a_routing_file_is_served_with_the_facts_of_its_stages_and_an_encoder(
    tmp_path: Path, lexical: Bundle, embedding: Bundle
) -> None:
    for name, bundle in (("small", lexical), ("big", embedding)):
        bundle.save(tmp_path / name)
    path = tmp_path / "routing.json"
    stages = (
        routed_stage("small", tmp_path / "small", path, {"QC": Band(0.3, 0.7)}, Cost(0.0, 0.0)),
        routed_stage("big", tmp_path / "big", path, {"QC": None}, Cost(0.0, 0.0)),
    )
    Routing(stages=stages).save(path)
    (tmp_path / "taxonomy.txt").write_text("".join(f"{each}\n" for each in shop.PATHS))
    decider, extras = load_served(path, Given(taxonomy=[tmp_path / "taxonomy.txt"]))
    assert extras.tasks == ("QC",)
    assert (extras.facts["name"], list(extras.facts["stages"])) == ("small > big", ["small", "big"])
    assert extras.suggester is not None
    assert extras.suggester.vectors is not None
    assert set(shop.PATHS) <= set(decider.stages[1].decider.scorer.scorers["vectors"].paths)  # type: ignore[attr-defined]


def test_what_is_neither_a_bundle_nor_a_cascade_is_no_model_of_a_server() -> None:
    with pytest.raises(BundleError, match="a SharedWords cannot be served"):
        tasks_of(SharedWords())
