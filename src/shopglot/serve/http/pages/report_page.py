"""The report of the run that the bundle is from, inside the site."""

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from shopglot.core.errors import DataError
from shopglot.core.files import sha256
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.pages.site import render
from shopglot.serve.http.service import Service, Serving

router: Final = APIRouter(include_in_schema=False)

_REPORT: Final = "report.html"
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
)
"""The page has its style and its pictures inside, and nothing else may be loaded or run."""
_SECTION: Final = re.compile(r'<li><a href="#(?P<anchor>[\w-]+)">(?P<name>[^<]+)</a></li>')


def report_of(run: Path) -> Path:
    """Return the report of a run folder; raises DataError where there is none."""
    report = run / _REPORT
    if not report.is_file():
        raise DataError(f"{run} holds no {_REPORT}; name the folder of a finished run with --report")
    return report


@router.get("/report")
def page(request: Request, service: Serving) -> Response:
    """Show the report with the site's navigation around it, and lead to its sections."""
    sections = [(found["anchor"], found["name"]) for found in _SECTION.finditer(_read(service))]
    return render(request, "report.html.j2", sections=sections, of_another=_is_of_another(service))


@router.get("/report/document")
def document(service: Serving) -> Response:
    """Return the report by itself."""
    headers = {"content-security-policy": _POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(_read(service), media_type="text/html; charset=utf-8", headers=headers)


def _is_of_another(service: Service) -> bool:
    """Return whether the run of the report made another bundle than the one that answers."""
    made = None if service.report is None else service.report.parent / "bundle" / "manifest.json"
    return made is not None and made.is_file() and sha256(made) != service.facts.get("sha256")


def _read(service: Service) -> str:
    """Return the report as it is now, for a run may have been made again."""
    if service.report is None:
        raise ServeError(404, "Validation", "this server has no report; start it with --report RUN")
    try:
        return service.report.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise ServeError(
            503, "Backend", "the report cannot be read now; see whether its run is being made again"
        ) from reason
