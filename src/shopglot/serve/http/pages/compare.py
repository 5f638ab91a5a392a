"""The page on which two models answer the same query side by side."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from shopglot.core.pair import Task
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.pages.asked import Asked
from shopglot.serve.http.pages.samples import EXAMPLES
from shopglot.serve.http.pages.scored import Said, Thresholds, judged_by, level_names, read_query, reading
from shopglot.serve.http.pages.site import form_of, render
from shopglot.serve.http.pages.try_page import form
from shopglot.serve.http.service import Service, Serving

router: Final = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Both:
    """A target with what each model says of it."""

    target: str
    levels: tuple[str, ...]
    first: Said
    second: Said

    @property
    def agree(self) -> bool:
        """Whether both decide the same."""
        return self.first.relevant == self.second.relevant

    @property
    def apart(self) -> float:
        """By how much the second model's probability is higher."""
        return self.second.probability - self.first.probability


@router.get("/compare")
async def page(request: Request, service: Serving) -> Response:
    """Show the form with an example in it, which a script has compared at once."""
    _other(service)
    asked = Asked(EXAMPLES[0].query, service.task(shared_tasks(service)[0]), ())
    return render(request, "compare.html.j2", **_view(service, asked), compared=None)


@router.post("/compare")
async def compared_page(request: Request, service: Serving) -> Response:
    """Show the form as it was sent, with both answers: for a browser without scripts."""
    asked = await _asked(request, service)
    return render(request, "compare.html.j2", **_view(service, asked), compared=await _compared(service, asked))


@router.post("/pages/compare")
async def compared(request: Request, service: Serving) -> Response:
    """Return the list with both answers, as a part of the page."""
    part = await _compared(service, await _asked(request, service))
    return render(request, "compared.html.j2", compared=part, names=_names(service))


def shared_tasks(service: Service) -> list[Task]:
    """Return the tasks that both models decide, the server's own first; none without a second model."""
    if service.other is None:
        return []
    both = [task for task in service.tasks if task in service.other.tasks]
    return sorted(both, key=lambda task: task != service.task(None))


def _other(service: Service) -> Service:
    if service.other is None:
        raise ServeError(404, "Validation", "this server has no second model; start it with --compare")
    return service.other


async def _asked(request: Request, service: Service) -> Asked:
    """Return what was sent; raises ServeError for a task that one of the models does not decide."""
    other, asked = _other(service), Asked.of(await form_of(request), service)
    other.task(asked.task)
    return asked


def _view(service: Service, asked: Asked) -> dict[str, Any]:
    shown = form(service, asked)
    lists = {task: lines for task, lines in shown["lists"].items() if task in shared_tasks(service)}
    return shown | {"lists": lists, "names": _names(service)}


def _names(service: Service) -> tuple[str, str]:
    """Return what the models are called; two of one name are told apart by their checksums."""
    both = (service, _other(service))
    if service.model != both[1].model:
        return service.model, both[1].model
    first, second = (f"{each.model} {str(each.facts.get('sha256', ''))[:8]}".strip() for each in both)
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")


async def _compared(service: Service, asked: Asked) -> dict[str, Any] | None:
    """Return the targets, those first on which the models disagree; None where nothing is asked."""
    other = _other(service)
    if not asked.query or not asked.targets:
        return None
    questions, translation = await read_query(service, asked)
    (first, verdicts), (second, _) = await asyncio.gather(judged_by(service, questions), judged_by(other, questions))
    rows = [
        Both(target, level_names(target) if asked.task == "QC" else (), *said)
        for target, *said in zip(asked.targets, first, second, strict=True)
    ]
    return {
        "rows": sorted(rows, key=lambda row: (row.agree, -abs(row.apart))),
        "thresholds": (Thresholds.of(first), Thresholds.of(second)),
        "reading": reading(asked, verdicts[0], translation),
    }
