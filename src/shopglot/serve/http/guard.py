"""What stands before the application: keys, limits of the body, clients that go, headers, counts and log lines."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shopglot.serve.http.errors import ServeError, error_response, without_words
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages.addresses import is_for_people, is_page, sign_in_address
from shopglot.serve.http.security import HEADERS, Key, Keys, require_key
from shopglot.serve.http.sessions import SAFE, Sessions, refuse_other_origins
from shopglot.serve.http.settings import HttpSettings

log = logging.getLogger(__name__)

KEY: Final = "shopglot.key"
"""Where the key that a request brought stands in its scope."""
_UNKNOWN: Final = 401
_GONE: Final = 499
"""The status under which a request is counted whose client has gone."""
_DRAINED: Final = 100
"""How many times the limit is read and thrown away, so that a client is told instead of cut off."""


class Guard:
    """An ASGI middleware. A body is read whole, within its limits, before anything looks at it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: HttpSettings,
        keys: Keys | None,
        sessions: Sessions | None,
        metrics: Metrics,
        paths: frozenset[str],
    ) -> None:
        """Take the application behind, and the paths it has; without keys, everyone may ask without a session."""
        self.app, self.settings, self.metrics = app, settings, metrics
        self.keys, self.sessions, self.paths = keys, sessions, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer, began = _Answer(send), time.monotonic()
        try:
            await self._guarded(scope, receive, answer)
        except ServeError as error:
            await _refusal(scope, error)(scope, receive, answer.send)
        except Exception as reason:  # nothing of it may reach the client
            log.error("a request failed with %s", without_words(reason))
            if answer.status is not None:
                raise
            failed = ServeError(500, "Backend", "the server failed on this request; its log says where")
            await error_response(scope["path"], failed)(scope, receive, answer.send)
        finally:
            path, status, seconds = self._route(scope), answer.status or _GONE, time.monotonic() - began
            self.metrics.answered(path, status, seconds)
            log.info("%s %s %d %.0f ms", scope["method"], path, status, seconds * 1000)

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = Headers(scope=scope)
        scope[KEY] = self._holder(scope, headers)
        body = await _read(headers, receive, self.settings)
        gone = asyncio.Event()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        await _unless_gone(self.app(scope, replay, answer.send), receive, gone, answer)

    def _holder(self, scope: Scope, headers: Headers) -> Key | None:
        """Return who asks, by a session or a key; what a browser may send by itself must come from an own page."""
        signed_in = None if self.sessions is None else self.sessions.holder(headers)
        if scope["method"] not in SAFE and (signed_in is not None or is_for_people(scope["path"])):
            refuse_other_origins(headers)
        return signed_in or require_key(self.keys, scope["path"], headers)

    def _route(self, scope: Scope) -> str:
        """Return the path as the application wrote it, for what clients write would make endless series."""
        path = getattr(scope.get("route"), "path", scope["path"])
        return str(path) if path in self.paths else "unknown"


class _Answer:
    """What was sent: the status, and whether all of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.whole = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body":
            self.whole = not message.get("more_body", False)
        await self._send(message)


async def _read(headers: Headers, receive: Receive, settings: HttpSettings) -> bytes:
    """Return the body; raises ServeError for one that is too long or comes too slowly."""
    too_long = ServeError(413, "Validation", f"a body has at most {settings.request_bytes:,} bytes")
    announced = headers.get("content-length", "0")
    if "expect" in headers and announced.isdecimal() and int(announced) > settings.request_bytes:
        raise too_long
    parts, length, more = [], 0, True
    try:
        async with asyncio.timeout(settings.body_seconds):
            while more and length <= _DRAINED * settings.request_bytes:
                message = await receive()
                more = message.get("more_body", False)
                length += len(message.get("body", b""))
                if length <= settings.request_bytes:
                    parts.append(message.get("body", b""))
                else:
                    parts.clear()
    except TimeoutError as slow:
        raise ServeError(408, "Validation", "the body came too slowly", {"Connection": "close"}) from slow
    if length > settings.request_bytes:
        raise too_long
    return b"".join(parts)


async def _unless_gone(work: Awaitable[None], receive: Receive, gone: asyncio.Event, answer: _Answer) -> None:
    """Do the work, and break it off when the client goes, so that it leaves its place in the queue."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        gone.set()
        if not answer.whole and not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            await task
    finally:
        watch.cancel()
        task.cancel()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(scope: Scope, error: ServeError) -> Response:
    """Return the error, or, for a page that wants a key, the way to where one is pasted."""
    if error.status == _UNKNOWN and is_page(scope["path"]):
        query = scope["query_string"].decode("latin-1") if scope["method"] in SAFE else ""
        return RedirectResponse(sign_in_address(scope["path"], query), 303)
    return error_response(scope["path"], error)
