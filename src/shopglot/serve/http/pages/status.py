"""The page that shows how a server does: traffic, times, the cache, what is relevant per language, and its model."""

import time
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from shopglot.core.pair import Task
from shopglot.merge.decide import TaskDecision
from shopglot.report.figures import task_name
from shopglot.serve.http.pages.counts import Bins, Counts
from shopglot.serve.http.pages.history import KEPT, SECONDS
from shopglot.serve.http.pages.names import language_name
from shopglot.serve.http.pages.site import render
from shopglot.serve.http.service import Service, Serving

router: Final = APIRouter(include_in_schema=False)

_FLOOR: Final = 1.0
"""The least that the top of a course stands for, per second: a lone request shall not look like a rush."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a picture, as shares of its width and height."""

    left: float
    width: float
    height: float


@router.get("/status")
async def page(request: Request, service: Serving) -> Response:
    """Show the page, whose counts a script renews."""
    return render(request, "status.html.j2", **_counts(service), **_model(service))


@router.get("/pages/status")
async def counts(request: Request, service: Serving) -> Response:
    """Return the counts, as a part of the page."""
    return render(request, "counts.html.j2", **_counts(service))


def course(values: list[float]) -> tuple[list[Column], float]:
    """Return the columns of the latest values, the newest at the right end, and what a full column stands for."""
    top = max([*values, _FLOOR])
    first = KEPT - len(values)
    return [Column((first + place) / KEPT, 1 / KEPT, value / top) for place, value in enumerate(values)], top


def spread(bins: Bins) -> list[Column]:
    """Return a column for each bin but the infinite one, the fullest of them as high as the picture."""
    counts = bins.counts[:-1]
    top = max(*counts, 1.0)
    return [Column(place / len(counts), 1 / len(counts), count / top) for place, count in enumerate(counts)]


def spoken(seconds: float | None) -> str:
    """Return a time as people say it.

    >>> spoken(0.0123), spoken(1.23), spoken(None), spoken(float("inf"))
    ('12 ms', '1.2 s', '–', '> 10 s')
    """
    if seconds is None:
        return "–"
    if seconds == float("inf"):
        return "> 10 s"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _counts(service: Service) -> dict[str, Any]:
    now = Counts.of(service.metrics)
    lately = service.history.per_second
    answers, pairs = [each.answers for each in lately], [each.pairs for each in lately]
    return {
        "counts": now,
        "waiting": service.batcher.waiting,
        "up": _length(time.monotonic() - service.history.began),
        "courses": [("Answers", *course(answers)), ("Scored pairs", *course(pairs))],
        "minutes": round(KEPT * SECONDS / 60),
        "spread": spread,
        "spoken": spoken,
        "language": _language,
    }


def _model(service: Service) -> dict[str, Any]:
    policy = service.policies.current
    tasks = service.decision.tasks if service.decision is not None else {}
    return {
        "facts": {
            "name": service.model,
            "SHA-256 of the manifest": service.facts.get("sha256", "–"),
            "decides": " and ".join(map(task_name, service.tasks)),
            "languages that are detected": ", ".join(map(language_name, service.settings.languages)),
            "policy": f"version {policy.version}" + (f": {policy.policy.note}" if policy.policy.note else ""),
            "category tree": "none" if service.suggester is None else f"{len(service.suggester.paths):,} categories",
            "translator": "there is one" if service.translations.there else "none",
            "compared with": "nothing" if service.other is None else service.other.model,
        },
        "decisions": [(task, task_name(task), own, _slices(task, own)) for task, own in tasks.items()],
        "limits": service.settings,
    }


def _slices(task: Task, own: TaskDecision) -> list[tuple[str, str, float, int | None]]:
    """Return the thresholds of a task, from the widest slice to the narrowest: language, category, value, evidence."""
    rows: list[tuple[str, str, float, int | None]] = [("all", "all", own.threshold, None)]
    if own.unlabelled is not None:
        rows.append(("without labels", "all", own.unlabelled, None))
    narrow = sorted(own.slices, key=lambda each: (each.depth, each.language, each.category or ""))
    return rows + [
        (language_name(each.language), each.category or "all", each.threshold, each.relevant) for each in narrow
    ]


def _language(code: str) -> str:
    return {"unknown": "unknown", "other": "another"}.get(code, language_name(code))


def _length(passed: float) -> str:
    """Return how long a server has run."""
    minutes, seconds = divmod(int(passed), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
