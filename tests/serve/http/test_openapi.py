"""The description of the interface is true: what it allows is answered as it says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.security import Key, Keys
from shopglot.serve.http.suggest import Suggester
from tests import shop
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.keys import ADMIN, digest

CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXTRAS = Extras(suggester=Suggester.of(shop.PATHS, None), keys=Keys((Key("boss", digest(ADMIN), admin=True),)))
APP = create_app(SharedWords(), FEW_LANGUAGES, EXTRAS)
HEADERS = {"Authorization": f"Bearer {ADMIN}"}
SCHEMA = schemathesis.openapi.from_dict(APP.openapi())
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok)]


@pytest.fixture(scope="module")
def asked() -> Iterator[TestClient]:
    with TestClient(APP, headers=HEADERS) as client:
        yield client


def examples(number: int) -> settings:
    """Return the settings of so many examples, the same in every run."""
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def agrees(client: TestClient, operation: Any, number: int) -> None:
    """Ask what the description allows and what it does not, and check each answer against it."""

    @examples(number)
    @given(st.data())
    def each(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = client.request(**_sendable(case.as_transport_kwargs(base_url="http://testserver")))
        case.validate_response(answer, checks=[CHECKS.get_one(name) for name in CHECKED])

    each()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_answers_are_as_the_description_says(asked: TestClient, operation: Any) -> None:
    agrees(asked, operation, 10)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_many_answers_are_as_the_description_says(asked: TestClient, operation: Any) -> None:
    agrees(asked, operation, 500)


def test_the_description_as_a_page_names_every_path_and_no_other_host(asked: TestClient) -> None:
    page = asked.get("/docs").text
    assert all(f"{each.method.upper()} {each.path}" in page for each in OPERATIONS)
    assert "http" not in page.replace("HTTP", "")
    assert "<script" not in page


def test_the_description_is_json_that_names_the_errors_of_each_path(asked: TestClient) -> None:
    described = asked.get("/openapi.json").json()
    assert json.dumps(described) == json.dumps(APP.openapi())
    assert {"413", "422", "424", "429", "504"} <= described["paths"]["/rerank"]["post"]["responses"].keys()


def _sendable(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what the client takes: bytes for a body, in which half a character can stand too."""
    names = {"method", "url", "headers", "params"}
    content = json.dumps(sent["json"]).encode() if "json" in sent else sent.get("data")
    return {name: value for name, value in sent.items() if name in names} | {"content": content}
