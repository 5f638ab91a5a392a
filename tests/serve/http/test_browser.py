import sys
import threading
import webbrowser
from queue import Queue

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shopglot.serve.http.browser import has_display, open_once_it_answers
from tests.serve.live import served

pytestmark = pytest.mark.enable_socket


async def ready(_: Request) -> Response:
    return Response("ready")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> "Queue[str]":
    """What a browser was told to open."""
    addresses: Queue[str] = Queue()
    monkeypatch.setattr(webbrowser, "open", addresses.put)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return addresses


def test_where_there_is_a_display_the_page_is_opened_as_soon_as_the_server_answers(
    opened: "Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with served(Starlette(routes=[Route("/ready", ready)])) as address:
        open_once_it_answers(address)
        assert opened.get(timeout=10) == address


def test_where_there_is_none_nothing_is_opened_and_nothing_waits(
    opened: "Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not has_display()
    before = threading.active_count()
    open_once_it_answers("http://127.0.0.1:9")
    assert threading.active_count() == before
    assert opened.empty()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert has_display()
