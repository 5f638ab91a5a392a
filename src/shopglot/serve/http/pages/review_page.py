"""The page on which people go through suspected labels, one by one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.pages.evidence import LABELS, percent, worded
from shopglot.serve.http.pages.reviewer import MOST_NAME, Reviewer, name_of, remember
from shopglot.serve.http.pages.site import form_of, render
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.reviews.state import CHOICES, Conflict, Reviewed
from shopglot.serve.http.service import Serving
from shopglot.serve.http.text import Text

router: Final = APIRouter(include_in_schema=False)

_MOST_NOTE: Final = 1000
_VERSION: Final = re.compile(r"[0-9]{1,9}")
_ON_A_PAGE: Final = 50
_PAST: Final = {"keep": "kept", "flip": "flipped", "drop": "dropped", "skip": "skipped"}


class Filter(BaseModel):
    """Which decisions are listed; empty: all of them."""

    model_config = ConfigDict(frozen=True)

    choice: Text = Field("", max_length=40)
    person: Text = Field("", max_length=200)
    text: Text = Field("", max_length=200)
    start: int = 0

    def address(self, start: int) -> str:
        """Return the address of the part of the list that begins at `start`."""
        return "?" + urlencode({**self.model_dump(), "start": start})


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision that was not kept, for another one came in between: what was to be done, and the note."""

    past: str
    note: str


def _reviews(service: Serving) -> Reviews:
    if service.reviews is None:
        raise ServeError(404, "Validation", "this server has no review file; start it with --review FILE")
    return service.reviews


Reviewing = Annotated[Reviews, Depends(_reviews)]
Form = Annotated[dict[str, str], Depends(form_of)]


@router.get("/review")
def page(
    request: Request,
    reviews: Reviewing,
    reviewer: Reviewer,
    pair: str | None = None,
    held: str | None = None,
) -> Response:
    """Show `pair`, or `held` unless somebody has decided it, or the next pair that nobody has decided."""
    if reviewer is None:
        return RedirectResponse("/review/name", 303)
    if pair is None and held is not None and reviews.find(held).state.choice is None:
        pair = held
    if pair is None:
        dealt = reviews.deal(reviewer, count=2)
        return _shown(request, reviews, reviewer, [*dealt, None, None])
    shown = reviews.find(pair)
    return _shown(request, reviews, reviewer, [shown, *_after(reviews, reviewer, pair)])


@router.get("/review/name")
def ask_name(request: Request, reviews: Reviewing) -> Response:
    """Ask who reviews."""
    del reviews  # which says that there are some
    return render(request, "reviewer.html.j2", refused=False, most=MOST_NAME)


@router.post("/review/name")
def named(request: Request, reviews: Reviewing, form: Form) -> Response:
    """Remember who reviews, where nobody has to sign in."""
    del reviews  # which says that there are some
    name = name_of(form.get("name", ""))
    if name is None:
        return render(request, "reviewer.html.j2", status=422, refused=True, most=MOST_NAME)
    return remember(RedirectResponse("/review", 303), name, request)


@router.post("/review")
def decide(request: Request, reviews: Reviewing, reviewer: Reviewer, form: Form) -> Response:
    """Keep a decision and go on; where another one came in between, show that."""
    if reviewer is None:
        return RedirectResponse("/review", 303)
    key, choice, note = form.get("pair", ""), form.get("choice", ""), form.get("note", "").strip()
    version = form.get("version", "")
    if choice not in CHOICES or not _VERSION.fullmatch(version) or len(note) > _MOST_NOTE:
        raise ServeError(422, "Validation", f"a decision is {', '.join(CHOICES)}, with at most {_MOST_NOTE} characters")
    try:
        reviews.decide(key, choice, reviewer, version=int(version), note=note)
    except Conflict as conflict:
        dealt = [conflict.reviewed, *_after(reviews, reviewer, key)]
        return _shown(request, reviews, reviewer, dealt, Refused(_PAST[choice], note))
    if form.get("back") == "decided":
        return RedirectResponse("/review/decided", 303)
    return _to(held=form.get("held"))


@router.post("/review/undo")
def undo(reviews: Reviewing, reviewer: Reviewer) -> Response:
    """Take back one's latest decision, and show its pair."""
    undone = None if reviewer is None else reviews.undo(reviewer)
    return _to(pair=None if undone is None else undone.suspect.key)


@router.get("/review/decided")
def decided(request: Request, reviews: Reviewing, reviewer: Reviewer, asked: Annotated[Filter, Query()]) -> Response:
    """List what was decided, the latest first."""
    listed = reviews.decided(asked.choice or None, asked.person or None)
    found = [each for each in listed if asked.text.casefold() in _searched(each)]
    start = max(0, min(asked.start, len(found) - 1)) // _ON_A_PAGE * _ON_A_PAGE
    turns = {"later": start - _ON_A_PAGE, "earlier": start + _ON_A_PAGE}
    return render(
        request,
        "decided.html.j2",
        rows=found[start : start + _ON_A_PAGE],
        count=len(found),
        start=start,
        asked=asked,
        turns={name: asked.address(at) for name, at in turns.items() if 0 <= at < len(found)},
        progress=reviews.progress(),
        reviewer=reviewer,
        **_WORDS,
    )


@router.get("/review/export")
def export(reviews: Reviewing) -> Response:
    """Return the review file with the decisions, to be named in the recipe under `data.corrections`."""
    name = f"{reviews.file.path.stem}.reviewed.csv".encode("ascii", "replace").decode().replace('"', "?")
    attached = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(reviews.export(), media_type="text/csv; charset=utf-8", headers=attached)


def _after(reviews: Reviews, reviewer: str, key: str) -> list[Reviewed | None]:
    """Return the pair that comes after one that is before the person's eyes."""
    return [*reviews.deal(reviewer, held=[key]), None]


def _shown(
    request: Request,
    reviews: Reviews,
    reviewer: str,
    dealt: Sequence[Reviewed | None],
    refused: Refused | None = None,
) -> Response:
    shown, upcoming = dealt[:2]
    return render(
        request,
        "review.html.j2",
        status=200 if refused is None else 409,
        shown=shown,
        upcoming=upcoming,
        reviewer=reviewer,
        progress=reviews.progress(),
        last=reviews.last(reviewer),
        elsewhere=reviews.elsewhere(reviewer) if shown is None else [],
        notice=reviews.notice,
        refused=refused,
        most_note=_MOST_NOTE,
        back=request.query_params.get("back") == "decided",
        **_WORDS,
    )


def _to(**keys: str | None) -> Response:
    given = {name: key for name, key in keys.items() if key}
    return RedirectResponse("/review" + (f"?{urlencode(given)}" if given else ""), 303)


def _searched(reviewed: Reviewed) -> str:
    suspect = reviewed.suspect
    texts = (suspect.id, suspect.query, suspect.english or "", suspect.target, reviewed.state.note)
    return "\n".join(texts).casefold()


def _past(choice: str) -> str:
    """Return what was done to a label, also by a choice that only a file makes."""
    return _PAST.get(choice, f"given {choice}")


_WORDS: Final[dict[str, Any]] = {
    "labels": LABELS,
    "past": _past,
    "percent": percent,
    "worded": worded,
}
"""What the templates say things with."""
