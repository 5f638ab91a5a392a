from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from shopglot.core.errors import BundleError
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided
from shopglot.pack.bundle import Bundle
from shopglot.serve.http.app import Extras, Other, create_app
from shopglot.serve.http.run import Given, load_served
from shopglot.serve.http.settings import HttpSettings
from tests.pack.conftest import *  # noqa: F403  # the tiny bundles
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords

FORM = {"query": "green tea", "task": "QI", "targets-QI": "black tea\nwok\ngreen tea\nmatcha"}


@dataclass(eq=False)
class OnlyMatcha(SharedWords):
    """Finds matcha relevant, and nothing else."""

    def score_clean(self, pairs: Pairs) -> Decided:
        probability = np.array([0.9 if "matcha" in target else 0.1 for target in pairs["target"]])
        return Decided(probability, probability >= 0.5, np.full(len(pairs), 0.5))

    def knowing(self, paths: Iterable[str]) -> "OnlyMatcha":
        return self


def client_of(
    other: Other, settings: HttpSettings = FEW_LANGUAGES, tasks: tuple[Task, ...] = ("QC", "QI")
) -> TestClient:
    extras = Extras(tasks=tasks, facts={"name": "old", "sha256": "aaaa1111bbbb"}, other=other)
    return TestClient(create_app(SharedWords(), settings, extras))


@pytest.fixture(scope="module")
def two() -> Iterator[TestClient]:
    with client_of(Other(OnlyMatcha(), facts={"name": "new"})) as client:
        yield client


def test_a_server_of_one_model_has_no_such_page(client: TestClient) -> None:
    assert client.get("/compare").status_code == 404
    assert "--compare" in client.get("/compare").text
    assert client.post("/pages/compare", data=FORM).status_code == 404
    assert '"/compare"' not in client.get("/try").text


def test_where_the_models_disagree_comes_first_and_is_counted(two: TestClient) -> None:
    part = two.post("/pages/compare", data=FORM).text
    assert "They disagree on 3 of 4" in part
    assert "relevant by old: 2, by new: 1" in part
    assert part.count('class="mark">differ') == 3
    assert part.index(">wok<") > max(part.index(f">{each}<") for each in ("black tea", "green tea", "matcha"))


def test_models_that_agree_are_said_to(two: TestClient) -> None:
    assert "They agree on all 1" in two.post("/pages/compare", data=FORM | {"targets-QI": "wok"}).text
    assert "Write a query" in two.post("/pages/compare", data=FORM | {"query": ""}).text


def test_the_page_works_without_scripts_and_escapes_what_was_written(two: TestClient) -> None:
    assert 'aria-current="page">Compare</a>' in two.get("/compare").text
    page = two.post("/compare", data=FORM | {"query": "<b>tea", "targets-QI": "<i>tea"}).text
    assert "&lt;b&gt;tea" in page
    assert "<i>" not in page
    assert "They agree" in page


def test_the_same_limits_hold_for_both() -> None:
    few = HttpSettings(languages=("de", "en"), pairs_per_request=3)
    with client_of(Other(OnlyMatcha()), few) as client:
        assert client.post("/pages/compare", data=FORM).status_code == 413


def test_only_tasks_that_both_decide_are_offered() -> None:
    with client_of(Other(SharedWords(), tasks=("QC",), facts={"name": "old", "sha256": "cccc2222"})) as client:
        page = client.get("/compare").text
        assert client.post("/pages/compare", data=FORM).status_code == 422
    assert "targets-QC" in page
    assert "targets-QI" not in page
    assert "old aaaa1111" in page  # two of one name are told apart
    assert "old cccc2222" in page


def test_a_bundle_of_another_task_cannot_be_compared_with(lexical: Bundle, tmp_path: Path) -> None:
    lexical.save(tmp_path / "first")
    _, extras = load_served(tmp_path / "first", Given(compare=tmp_path / "first"))
    assert extras.other is not None
    assert extras.other.facts == extras.facts
    tasks = lexical.decision.tasks
    only = {task: lexical.decision.model_copy(update={"tasks": {task: tasks[task]}}) for task in tasks}
    Bundle(lexical.scorer, only["QC"], lexical.curate, lexical.facts, lexical.format).save(tmp_path / "QC")
    Bundle(lexical.scorer, only["QI"], lexical.curate, lexical.facts, lexical.format).save(tmp_path / "QI")
    with pytest.raises(BundleError, match="no task of the served bundle"):
        load_served(tmp_path / "QI", Given(compare=tmp_path / "QC"))
