import pytest
from starlette.datastructures import Headers

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.security import Key, Keys
from shopglot.serve.http.sessions import COOKIE, Sessions, refuse_other_origins
from tests.serve.keys import READER, digest

KEY = Key("reader", digest(READER))


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def bringing(token: str) -> Headers:
    return Headers({"cookie": f"other=1; {COOKIE}={token}"})


def begun(sessions: Sessions) -> Headers:
    token = sessions.begin(READER)
    assert token is not None
    return bringing(token)


def test_a_known_key_begins_a_session_that_ends_by_its_age_or_by_signing_out() -> None:
    clock = Clock()
    sessions = Sessions(Keys((KEY,)), age_seconds=10, most=5, clock=clock)
    first, second = begun(sessions), begun(sessions)
    assert sessions.holder(first) == sessions.holder(second) == KEY
    sessions.end(first)
    assert (sessions.holder(first), sessions.holder(second)) == (None, KEY)
    clock.now = 10.0
    assert sessions.holder(second) is None


def test_nothing_else_begins_one_or_passes_for_one() -> None:
    sessions = Sessions(Keys((KEY,)), age_seconds=10, most=5)
    assert sessions.begin("guessed") is None
    assert sessions.begin("") is None
    for headers in (Headers(), bringing(""), bringing("guessed"), bringing(READER), bringing(digest(READER))):
        assert sessions.holder(headers) is None


@pytest.mark.parametrize("most", [1, 2])
def test_of_too_many_sessions_the_oldest_end(most: int) -> None:
    sessions = Sessions(Keys((KEY,)), age_seconds=10, most=most)
    given = [begun(sessions) for _ in range(4)]
    assert [sessions.holder(each) for each in given] == [None] * (4 - most) + [KEY] * most


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "none"},
        {"origin": "http://shop.example:8000"},
    ],
)
def test_programs_and_own_pages_may_send(headers: dict[str, str]) -> None:
    refuse_other_origins(Headers({"host": "shop.example:8000", **headers}))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://shop.example:8000"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://shop.example:8001"},
        {"origin": "http://shop.example:8000.evil.example"},
        {"origin": "http://["},
    ],
)
def test_pages_of_other_origins_may_not(headers: dict[str, str]) -> None:
    with pytest.raises(ServeError, match="another origin") as refused:
        refuse_other_origins(Headers({"host": "shop.example:8000", **headers}))
    assert refused.value.status == 403
