"""Where the pages are, for all who must tell them from what machines ask."""

from typing import Final
from urllib.parse import quote, urlsplit

PAGES: Final = ("/", "/try", "/compare", "/report", "/review", "/status")
PARTS: Final = "/pages/"
"""Below it is what pages load by themselves."""
STATIC: Final = "/pages/static/"
"""Below it are style and scripts, which anyone may have."""
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"


def is_page(path: str) -> bool:
    """Return whether a browser shows this as a page, so that a refusal must be one too.

    >>> is_page("/try"), is_page("/review/next"), is_page("/rerank")
    (True, True, False)
    """
    return path in (*PAGES, SIGN_IN, SIGN_OUT) or path.startswith(tuple(f"{page}/" for page in PAGES if page != "/"))


def is_for_people(path: str) -> bool:
    """Return whether only pages ask for this."""
    return is_page(path) or path.startswith(PARTS)


def own_address(asked: str) -> str:
    """Return an address of a page as it is, and `/` for any other, so that nobody is sent elsewhere.

    >>> own_address("/review?row=3"), own_address("//elsewhere.example/try"), own_address("///elsewhere/try")
    ('/review?row=3', '/', '/')
    """
    try:
        parts = urlsplit(asked)
    except ValueError:
        return "/"
    own = not parts.scheme and not parts.netloc and is_page(parts.path) and parts.path not in (SIGN_IN, SIGN_OUT)
    own = own and asked.startswith("/") and not asked.startswith("//")  # which a browser would take for a host
    return asked if own and asked.isprintable() and "\\" not in asked else "/"


def sign_in_address(path: str, query: str) -> str:
    """Return where to sign in for a page, to come back to it.

    >>> sign_in_address("/review", "row=3")
    '/sign-in?next=/review%3Frow%3D3'
    """
    return f"{SIGN_IN}?next={quote(path + (f'?{query}' if query else ''), safe='/')}"
