"""Whatever is sent, the answer is a 4xx and the server goes on."""

from collections import Counter
from collections.abc import Iterable

import pytest
from starlette.testclient import TestClient

from tests.serve.hostile import PATHS, bodies

JSON = {"content-type": "application/json"}


def statuses(client: TestClient, sent: Iterable[tuple[str, bytes]]) -> Counter[int]:
    return Counter(client.post(path, content=body, headers=JSON).status_code for path, body in sent)


def refused_and_alive(client: TestClient, count: int) -> None:
    found = statuses(client, bodies(count, seed=count))
    assert sum(found.values()) == count
    assert all(400 <= status < 500 for status in found), found
    assert client.post("/rerank", json={"query": "tea", "texts": ["tea"]}).status_code == 200


def test_a_thousand_hostile_bodies_are_refused_and_the_server_goes_on(client: TestClient) -> None:
    refused_and_alive(client, 1000)


@pytest.mark.slow
def test_ten_thousand_hostile_bodies_are_refused_and_the_server_goes_on(client: TestClient) -> None:
    refused_and_alive(client, 10_000)


def test_a_body_of_fifty_megabytes_is_refused(client: TestClient) -> None:
    body = b'{"query": "' + b"x" * 50_000_000
    assert statuses(client, [(PATHS[0], body)]) == {413: 1}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_another_kind_is_refused(client: TestClient, path: str, kind: str) -> None:
    answer = client.post(path, content=b"query=tea", headers={"content-type": kind})
    assert 400 <= answer.status_code < 500
