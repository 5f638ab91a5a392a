import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Message

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.security import HEADERS
from shopglot.serve.http.settings import HttpSettings
from tests.serve.asgi import answer_of
from tests.serve.deciders import Failing, Held, SharedWords

SMALL = HttpSettings(languages=("ar", "de", "en"), request_bytes=200, body_seconds=0.05)
ASKED = json.dumps({"query": "green tea", "texts": ["tea"]}).encode()


def run(app: FastAPI, work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what `work` returns while the application runs."""

    async def running() -> Any:
        async with app.router.lifespan_context(app):
            return await work()

    return asyncio.run(running())


def test_a_long_body_is_refused_before_it_is_parsed_and_never_held() -> None:
    pieces: list[int] = []

    async def long() -> AsyncIterator[Message]:
        for number in range(99):
            pieces.append(number)
            yield {"type": "http.request", "body": b"[" * 150, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()

    app = create_app(SharedWords(), SMALL)
    status, body = run(app, lambda: answer_of(app, long()))
    assert (status, json.loads(body)["error_type"]) == (413, "Validation")
    assert len(pieces) == 99  # read and thrown away, so that the client comes to hear of it


def test_a_client_that_never_stops_sending_is_cut_off() -> None:
    async def endless() -> AsyncIterator[Message]:
        while True:
            yield {"type": "http.request", "body": b"x" * 5000, "more_body": True}

    app = create_app(SharedWords(), SMALL)
    assert run(app, lambda: answer_of(app, endless()))[0] == 413


def test_a_client_that_waits_for_leave_to_send_too_much_does_not_get_it() -> None:
    async def silent() -> AsyncIterator[Message]:
        await asyncio.Event().wait()
        yield {}

    app = create_app(SharedWords(), SMALL)
    headers = {"expect": "100-continue", "content-length": "1000000"}
    assert run(app, lambda: answer_of(app, silent(), headers))[0] == 413


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    async def slow() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": ASKED[:5], "more_body": True}
        await asyncio.Event().wait()

    app = create_app(SharedWords(), SMALL)
    assert run(app, lambda: answer_of(app, slow()))[0] == 408


def test_a_body_in_pieces_is_read_whole() -> None:
    async def pieces() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": ASKED[:10], "more_body": True}
        yield {"type": "http.request", "body": ASKED[10:], "more_body": False}
        await asyncio.Event().wait()

    app = create_app(SharedWords(), SMALL)
    status, body = run(app, lambda: answer_of(app, pieces()))
    assert (status, json.loads(body)[0]["index"]) == (200, 0)


def test_a_client_that_hangs_up_leaves_the_queue_and_gets_no_answer() -> None:
    decider = Held()
    decider.go.set()
    app = create_app(decider, SMALL)
    batcher = app.state.service.batcher

    async def leaving() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": ASKED, "more_body": False}
        while not batcher.waiting:
            await asyncio.sleep(0.001)
        yield {"type": "http.disconnect"}

    async def staying() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": ASKED.replace(b"green", b"black"), "more_body": False}
        await asyncio.Event().wait()

    async def work() -> tuple[Any, Any]:
        decider.go.clear()
        decider.began.clear()
        stays = asyncio.create_task(answer_of(app, staying()))
        await asyncio.to_thread(decider.began.wait, 5)
        gone = await answer_of(app, leaving())
        assert batcher.waiting == 0
        decider.go.set()
        return gone, await stays

    gone, stayed = run(app, work)
    assert gone == (None, b"")
    assert stayed[0] == 200
    assert sum(decider.batches) == 2 + 1  # the warm-up of two tasks, and the one who stayed


def test_every_answer_has_the_headers_of_security(client: TestClient) -> None:
    for answer in (client.get("/health"), client.get("/nowhere"), client.post("/rerank", content=b"{")):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_other_origins_are_let_in_only_where_the_settings_name_them(client: TestClient) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in client.options("/rerank", headers=asked).headers
    assert "access-control-allow-origin" not in client.get("/health", headers=asked).headers
    app = create_app(SharedWords(), SMALL.model_copy(update={"cors_origins": ("https://shop.example",)}))
    with TestClient(app) as open_to_one:
        allowed = open_to_one.options("/rerank", headers=asked)
        other = open_to_one.options("/rerank", headers=asked | {"Origin": "https://other.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in other.headers


def test_what_fails_says_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(create_app(Failing(), SMALL), raise_server_exceptions=False) as client, caplog.at_level(0):
        answer = client.post("/rerank", json={"query": "secret poison", "texts": ["tea"]})
    assert (answer.status_code, answer.json()["error_type"]) == (424, "Backend")
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text
    assert "the model failed with RuntimeError" in caplog.text
    assert "deciders.py" in caplog.text  # the place in the code, not what the client wrote
    assert "secret" not in caplog.text


def test_a_defect_of_the_server_is_a_500_without_a_traceback() -> None:
    app = create_app(SharedWords(), SMALL, Extras(facts={"dtype": Broken()}))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/info")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "the server failed on this request; its log says where",
        "error_type": "Backend",
    }


class Broken:
    """A fact that cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("secret")


@pytest.mark.parametrize("switched_on", [False, True])
def test_log_lines_hold_queries_only_when_switched_on(switched_on: bool, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(SharedWords(), SMALL.model_copy(update={"log_queries": switched_on}))
    with TestClient(app) as client, caplog.at_level(logging.DEBUG, "shopglot"):
        client.post("/rerank?language=de", json={"query": "geheim", "texts": ["tea"]})
    assert "POST /rerank 200" in caplog.text
    assert ("geheim" in caplog.text) == switched_on


def test_metrics_name_routes_and_slices_and_nothing_that_clients_wrote(client: TestClient) -> None:
    client.get("/somewhere/secret")
    client.post("/rerank?language=xx", json={"query": "green tea", "texts": ["green tea", "wok"]})
    client.post("/rerank?language=de", json={"query": "tee", "texts": ["tee"]})
    text = client.get("/metrics").text
    assert 'shopglot_requests_total{path="unknown",status="404"}' in text
    assert 'shopglot_pairs_total{language="other",relevant="yes",task="QI"} 1.0' in text
    assert 'shopglot_pairs_total{language="de",relevant="yes",task="QI"} 1.0' in text
    assert "secret" not in text
    assert "shopglot_request_seconds_bucket" in text


def test_it_is_ready_from_its_first_to_its_last_request() -> None:
    app = create_app(SharedWords(), SMALL)
    client = TestClient(app)
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").status_code == 503
    with client:
        assert client.get("/ready").status_code == 200
    assert client.get("/ready").status_code == 503
