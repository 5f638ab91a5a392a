"""Whether the server lives and takes work, and its counts."""

from typing import Final, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from shopglot.serve.http.errors import ServeError, TeiError
from shopglot.serve.http.service import Serving

router: Final = APIRouter(tags=["Health"])


class State(BaseModel):
    """How the server is."""

    status: Literal["ok"] = "ok"


@router.get("/health")
async def health() -> State:
    """Answer as long as the process lives."""
    return State()


@router.get("/ready", responses={503: {"model": TeiError}})
async def ready(service: Serving) -> State:
    """Answer 200 as long as the server takes work; 503 before that and when it is ending."""
    if not service.batcher.open:
        raise ServeError(503, "Unhealthy", "the server is ending")
    return State()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: Serving) -> Response:
    """Return all counts in the text format of Prometheus."""
    service.metrics.waiting.set(service.batcher.waiting)
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
