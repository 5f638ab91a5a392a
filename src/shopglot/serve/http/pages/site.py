"""What all pages share: how they are rendered, where they are, style and scripts, and what is shown when it fails."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shopglot.report.figures import decimal
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.guard import KEY
from shopglot.serve.http.pages.addresses import STATIC
from shopglot.serve.http.pages.names import language_name
from shopglot.serve.http.service import Service, service_of

router: Final = APIRouter(include_in_schema=False)

_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_MOST_FIELDS: Final = 100
_HEADERS: Final = {"referrer-policy": "same-origin"}
"""With `no-referrer` a browser would not say in `Origin` that a form was sent by an own page."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    address: str
    name: str


@router.get("/")
async def first() -> Response:
    """Lead to the first page."""
    return RedirectResponse("/try", 303)


@router.get(STATIC + "{name}")
async def static(name: str) -> Response:
    """Return a file of style or script; its address changes with its content, so that it may be kept for long."""
    files = _static_files()
    if name not in files:
        raise ServeError(404, "Validation", "there is no such file")
    content = _TYPES[name.rpartition(".")[2]] + "; charset=utf-8"
    return Response(files[name], media_type=content, headers={"cache-control": "max-age=31536000, immutable"})


def places(service: Service) -> list[Place]:
    """Return the pages that this server has, in the order of the navigation."""
    all_there = {
        Place("/try", "Try"): True,
        Place("/compare", "Compare"): service.other is not None,
        Place("/report", "Report"): service.report is not None,
        Place("/review", "Review"): service.reviews is not None,
        Place("/status", "Status"): True,
    }
    return [place for place, there in all_there.items() if there]


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page, or a part of one, from its template; every value is escaped."""
    service, holder = service_of(request), request.scope.get(KEY)
    let_in = holder is not None or service.sessions is None
    shared = {
        "places": places(service) if let_in else [],
        "here": request.url.path,
        "model": service.model,
        "version": version("shopglot"),
        "signed_in": None if holder is None else holder.name,
    }
    page = _templates().get_template(template).render(shared | values)
    return HTMLResponse(page, status, headers=_HEADERS)


def problem(request: Request, error: ServeError) -> Response:
    """Return the page that says why another one is not shown."""
    page = render(request, "problem.html.j2", status=error.status, sentence=error.message)
    page.headers.update(error.headers)
    return page


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of several values of a field the last. Raises ServeError where there is none."""
    try:
        fields = parse_qsl((await request.body()).decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as reason:
        raise ServeError(400, "Validation", "this is no form of a page") from reason
    return dict(fields)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("shopglot.serve.http.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["language"] = language_name
    environment.globals |= {"static": _static_address, "language_name": language_name, "decimal": decimal}
    return environment


@cache
def _static_files() -> dict[str, bytes]:
    folder = resources.files("shopglot.serve.http.pages").joinpath("static")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _TYPES}


def _static_address(name: str) -> str:
    return f"{STATIC}{name}?{hashlib.sha256(_static_files()[name]).hexdigest()[:12]}"
