"""Who reviews: the name of the API key, or, on a server without keys, the name that the person typed once."""

import unicodedata
from typing import Annotated, Final, TypeVar
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from starlette.responses import Response

from shopglot.serve.http.guard import KEY

MOST_NAME: Final = 40
_COOKIE: Final = "shopglot-reviewer"
_A_YEAR: Final = 365 * 24 * 3600

Answer = TypeVar("Answer", bound=Response)


def reviewer_of(request: Request) -> str | None:
    """Return the name of who asks, None where nobody has said it yet."""
    holder = request.scope.get(KEY)
    return holder.name if holder is not None else name_of(unquote(request.cookies.get(_COOKIE, "")))


Reviewer = Annotated[str | None, Depends(reviewer_of)]


def name_of(typed: str) -> str | None:
    """Return a name without needless spaces, None where it is none.

    >>> name_of("  Ana   María "), name_of(" "), name_of("a" * 41), name_of("a\\0b")
    ('Ana María', None, None, None)
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    return name if 0 < len(name) <= MOST_NAME and name.isprintable() else None


def remember(answer: Answer, name: str, request: Request) -> Answer:
    """Have the browser say the name from now on."""
    secure = request.url.scheme == "https"
    answer.set_cookie(_COOKIE, quote(name), max_age=_A_YEAR, httponly=True, samesite="strict", secure=secure)
    return answer
