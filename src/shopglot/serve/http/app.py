"""The application around a decider; making it loads nothing."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from shopglot.core.pair import TASKS, Task
from shopglot.enrich.enrich import Translating
from shopglot.merge.decide import Decider, Decision
from shopglot.serve.http import cohere, filtering, health, native, tei, vllm
from shopglot.serve.http.batcher import Batcher
from shopglot.serve.http.docs_page import docs
from shopglot.serve.http.errors import ServeError, error_response
from shopglot.serve.http.guard import Guard
from shopglot.serve.http.judge import Judge
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages import compare, report_page, review_page, sign_in, site, status, try_page
from shopglot.serve.http.pages.addresses import is_page
from shopglot.serve.http.pages.history import History
from shopglot.serve.http.policy import Policies
from shopglot.serve.http.question import Question
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.security import Keys
from shopglot.serve.http.service import Service
from shopglot.serve.http.sessions import Sessions
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from shopglot.serve.http.translation import Translations

_FIRST: Final = "green tea"
"""A text in Latin letters, so that language detection is loaded before the first client asks."""


@dataclass(frozen=True, eq=False, slots=True)
class Extras:
    """What a server may have beside its model.

    Without `keys` everyone may ask and nobody may change a policy. `tasks` are those that the model
    decides, `decision` is how, and `facts` what is told about it. `other` is a second model, which pages compare with
    the first. `report` is the page of a run, and `reviews` are closed at the end.
    """

    tasks: tuple[Task, ...] = TASKS
    keys: Keys | None = None
    policies: Policies = field(default_factory=Policies)
    suggester: Suggester | None = None
    translating: Translating | None = None
    decision: Decision | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    other: "Other | None" = None
    report: Path | None = None
    reviews: Reviews | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Other:
    """A second model, with its own queue and within the same limits."""

    decider: Decider
    tasks: tuple[Task, ...] = TASKS
    decision: Decision | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def create_app(decider: Decider, settings: HttpSettings | None = None, extras: Extras | None = None) -> FastAPI:
    """Return the application; its parts are at `app.state.service`."""
    settings, extras = settings or HttpSettings(), extras or Extras()
    service = _service(decider, settings, extras)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            if extras.reviews is not None:
                running.enter_context(extras.reviews)
            running.enter_context(service.translations.running())
            for each in (service, service.other):
                if each is not None:
                    first = [Question(task, _FIRST, _FIRST) for task in each.tasks]
                    await running.enter_async_context(each.batcher.running(first))
            await running.enter_async_context(service.history.running())
            yield

    app = FastAPI(title="shopglot", version=version("shopglot"), lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service = service
    app.add_api_route("/docs", docs, include_in_schema=False)
    pages = (site, sign_in, try_page, compare, report_page, review_page, status)
    parts = (native, filtering, tei, cohere, vllm, health, *pages)
    for part in parts:
        app.include_router(part.router)
    app.add_exception_handler(ServeError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _elsewhere)
    routes = (*app.routes, *(route for part in parts for route in part.router.routes))
    paths = frozenset(route.path for route in routes if isinstance(route, Route))
    app.add_middleware(
        Guard, settings=settings, keys=extras.keys, sessions=service.sessions, metrics=service.metrics, paths=paths
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET", "POST"], allow_headers=["*"]
        )
    return app


def _service(decider: Decider, settings: HttpSettings, extras: Extras) -> Service:
    judge, metrics = Judge(decider, settings.languages), Metrics(settings.languages)
    return Service(
        tasks=extras.tasks,
        columns_read=decider.columns_read,
        settings=settings,
        batcher=Batcher(judge, settings, metrics),
        metrics=metrics,
        policies=extras.policies,
        translations=Translations(extras.translating, judge, settings.deadline_seconds),
        suggester=extras.suggester,
        sessions=None if extras.keys is None else _sessions(extras.keys, settings),
        decision=extras.decision,
        facts=extras.facts,
        history=History(metrics),
        other=None if extras.other is None else _service(extras.other.decider, settings, _alone(extras.other)),
        report=extras.report,
        reviews=extras.reviews,
    )


def _alone(other: Other) -> Extras:
    return Extras(tasks=other.tasks, decision=other.decision, facts=other.facts)


def _sessions(keys: Keys, settings: HttpSettings) -> Sessions:
    return Sessions(keys, age_seconds=settings.session_seconds, most=settings.sessions)


async def _refused(request: Request, error: Exception) -> Response:
    refused = cast("ServeError", error)
    return site.problem(request, refused) if is_page(request.url.path) else error_response(request.url.path, refused)


async def _invalid(request: Request, error: Exception) -> Response:
    """Say where the body is not what the path reads; what was written there is not repeated."""
    first = cast("RequestValidationError", error).errors()[0]
    status = 400 if first["type"] == "json_invalid" else 422
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    refused = ServeError(status, "Validation", f"{where}: {first['msg']}")
    return await _refused(request, refused)


async def _elsewhere(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: an unknown path, another method, a body that cannot be read."""
    refused = cast("HTTPException", error)
    return await _refused(request, ServeError(refused.status_code, "Validation", str(refused.detail), refused.headers))
