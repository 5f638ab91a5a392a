"""People who signed in on a page with an API key: what their browser presents in its place."""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.security import Key, Keys

COOKIE: Final = "shopglot-session"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""


class Sessions:
    """Who has signed in. They are in memory, so that a restart signs everyone out; of too many the oldest end."""

    def __init__(
        self, keys: Keys, *, age_seconds: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take who may sign in, how long that lasts, and how many sessions there may be."""
        self._keys, self._age, self._most, self._clock = keys, age_seconds, most, clock
        self._begun: dict[str, tuple[Key, float]] = {}

    def begin(self, presented: str) -> str | None:
        """Return the token of a new session, None where the key is not known."""
        holder = self._keys.holder(presented)
        if holder is None:
            return None
        token, now = secrets.token_urlsafe(32), self._clock()
        living = [(digest, one) for digest, one in self._begun.items() if one[1] > now]
        self._begun = dict(living[-(self._most - 1) :] if self._most > 1 else ())
        self._begun[_digest(token)] = holder, now + self._age
        return token

    def holder(self, headers: Headers) -> Key | None:
        """Return who signed in with the session that a request brings."""
        found = self._begun.get(_digest(_token(headers)))
        return found[0] if found is not None and found[1] > self._clock() else None

    def end(self, headers: Headers) -> None:
        """Sign out."""
        self._begun.pop(_digest(_token(headers)), None)


def refuse_other_origins(headers: Headers) -> None:
    """Raise ServeError 403 where a page of another origin made the browser send this.

    A browser says so in `Sec-Fetch-Site` where the connection is safe, else in `Origin`; programs say neither.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    own = site in ("same-origin", "none") if site else origin is None or _host(origin) == headers.get("host")
    if not own:
        raise ServeError(403, "Unauthorized", "a page of another origin may not send this; use the server's own page")


def _host(origin: str) -> str | None:
    """Return the host and port of an origin, None where it is none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def _token(headers: Headers) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _digest(token: str) -> str:
    """Return what is kept: so the time that a look-up takes says nothing of the tokens there are."""
    return hashlib.sha256(token.encode()).hexdigest()
