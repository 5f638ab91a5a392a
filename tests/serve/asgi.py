"""An application asked without a server, message by message."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import ASGIApp, Message


async def answer_of(
    app: ASGIApp, messages: AsyncIterator[Message], headers: dict[str, str] | None = None, path: str = "/rerank"
) -> tuple[int | None, bytes]:
    """Return status and body of what is answered to a client that sends `messages`; None where nothing is."""
    sent: list[Message] = []
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or JSON).items()],
    }

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, messages.__anext__, send), 10)
    status = next((each["status"] for each in sent if each["type"] == "http.response.start"), None)
    return status, b"".join(each.get("body", b"") for each in sent)


JSON = {"content-type": "application/json"}
