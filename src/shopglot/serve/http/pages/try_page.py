"""The page on which a query is tried against a list of items or category paths."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.native import Categories, categories
from shopglot.serve.http.pages.asked import Asked
from shopglot.serve.http.pages.names import language_name
from shopglot.serve.http.pages.samples import EXAMPLES, sample
from shopglot.serve.http.pages.scored import Thresholds, judged_by, level_names, read_query, reading
from shopglot.serve.http.pages.site import form_of, render
from shopglot.serve.http.pages.words import marked_words
from shopglot.serve.http.service import Service, Serving

router: Final = APIRouter(include_in_schema=False)

_CATEGORIES: Final = 5


@router.get("/try")
async def page(request: Request, service: Serving) -> Response:
    """Show the form with an example in it, which a script has scored at once."""
    asked = Asked(EXAMPLES[0].query, service.task(None), ())
    return render(request, "try.html.j2", **form(service, asked), scored=None, suggested=None, words=None)


@router.post("/try")
async def tried(request: Request, service: Serving) -> Response:
    """Show the form as it was sent, with its answers: for a browser without scripts."""
    sent = await form_of(request)
    asked, target = Asked.of(sent, service), sent.get("words")
    parts: dict[str, Any] = {
        "scored": await _scored(service, asked),
        "suggested": await _suggested(service, asked),
        "words": {"target": target, "texts": await marked_words(service, asked, target)} if target else None,
    }
    return render(request, "try.html.j2", **form(service, asked), **parts)


@router.post("/pages/try/scores")
async def scores(request: Request, service: Serving) -> Response:
    """Return the list with its scores, as a part of the page."""
    scored = await _scored(service, Asked.of(await form_of(request), service))
    return render(request, "scores.html.j2", scored=scored, words=None)


@router.post("/pages/try/categories")
async def suggestions(request: Request, service: Serving) -> Response:
    """Return the categories of the server's tree that the query means, as a part of the page."""
    suggested = await _suggested(service, Asked.of(await form_of(request), service))
    return render(request, "suggested.html.j2", suggested=suggested)


@router.post("/pages/try/words")
async def words(request: Request, service: Serving) -> Response:
    """Return the words of a pair with what each counts, as a part of the page."""
    sent = await form_of(request)
    target = sent.get("words", "").strip()
    if not target:
        raise ServeError(422, "Validation", "there is no target whose words could be marked")
    texts = await marked_words(service, Asked.of(sent, service), target)
    return render(request, "words.html.j2", texts=texts)


def form(service: Service, asked: Asked) -> dict[str, Any]:
    """Return what the form of a page shows: what was asked, and what may be."""
    tasks = sorted(service.tasks, key=lambda task: task != service.task(None))
    lists = {task: asked.targets if task == asked.task else () for task in tasks}
    return {
        "asked": asked,
        "lists": {task: "\n".join(own or sample(service, task)) for task, own in lists.items()},
        "languages": sorted(service.settings.languages, key=language_name),
        "examples": EXAMPLES,
        "translates": service.translations.there,
        "suggests": service.suggester is not None and "QC" in service.tasks,
    }


async def _scored(service: Service, asked: Asked) -> dict[str, Any] | None:
    """Return the targets, the most probable first, and how the query was read; None where nothing is asked."""
    if not asked.query or not asked.targets:
        return None
    questions, translation = await read_query(service, asked)
    said, verdicts = await judged_by(service, questions)
    rows = [
        {"target": target, "levels": level_names(target) if asked.task == "QC" else (), "said": each}
        for target, each in zip(asked.targets, said, strict=True)
    ]
    return {
        "task": asked.task,
        "rows": sorted(rows, key=lambda row: -row["said"].probability),
        "thresholds": Thresholds.of(said),
        "reading": reading(asked, verdicts[0], translation),
    }


async def _suggested(service: Service, asked: Asked) -> dict[str, Any] | None:
    """Return the best categories; None where nothing is asked, or the server knows no tree."""
    if not asked.query or service.suggester is None or "QC" not in service.tasks:
        return None
    wanted = Categories(
        query=asked.query, language=asked.language, translate=asked.translate, top=_CATEGORIES, below_threshold=True
    )
    found = await categories(wanted, service)
    return {"none_fits": found.none_fits, "categories": found.categories}
