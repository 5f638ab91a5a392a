"""The page on which a query is tried against a list of items or category paths."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from shopglot.serve.pages.asked import Asked
from shopglot.serve.pages.samples import QUERIES, TARGETS
from shopglot.serve.pages.site import form_of, render
from shopglot.serve.policy import ThresholdOf
from shopglot.serve.question import Verdict
from shopglot.serve.service import Service, Serving, judged

router: Final = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Scored:
    """A target with what the model says of it."""

    target: str
    verdict: Verdict
    threshold: float
    threshold_of: ThresholdOf

    @property
    def relevant(self) -> bool:
        """Whether the probability reaches the threshold in force."""
        return self.verdict.probability >= self.threshold


@router.get("/try")
async def page(request: Request, service: Serving) -> Response:
    """Show the form with an example in it."""
    task = service.task(None)
    asked = Asked(next(iter(QUERIES)), task, TARGETS[task])
    return render(request, "try.html.j2", **_form(service, asked), rows=None)


@router.post("/try")
async def tried(request: Request, service: Serving) -> Response:
    """Show the form as it was sent, with its scores: for a browser without scripts."""
    asked = Asked.of(await form_of(request), service)
    return render(request, "try.html.j2", **_form(service, asked), rows=await _scored(service, asked))


@router.post("/pages/try/scores")
async def scores(request: Request, service: Serving) -> Response:
    """Return the list with its scores, as a part of the page."""
    asked = Asked.of(await form_of(request), service)
    return render(request, "scores.html.j2", rows=await _scored(service, asked))


def _form(service: Service, asked: Asked) -> dict[str, object]:
    return {
        "asked": asked,
        "tasks": service.tasks,
        "languages": service.settings.languages,
        "examples": QUERIES,
    }


async def _scored(service: Service, asked: Asked) -> list[Scored]:
    """Return the targets, the most probable first."""
    if not asked.query or not asked.targets:
        return []
    questions = asked.questions
    verdicts, _ = await judged(service, questions, translate=asked.translate)
    policy = service.policies.in_force
    rows = [
        Scored(question.target, verdict, *policy.threshold(question, verdict))
        for question, verdict in zip(questions, verdicts, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.verdict.probability)
