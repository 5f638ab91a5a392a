"""Who may ask: API keys, of which the server knows the hashes alone."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from starlette.datastructures import Headers

from shopglot.core.errors import DataError
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.pages.addresses import SIGN_IN, STATIC

OPEN_PATHS: Final = frozenset({"/health", "/ready", "/docs", "/openapi.json", SIGN_IN})
"""What is answered without a key: whether the server lives, how it is asked, and where a key may be pasted."""

HEADERS: Final = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""What every answer says, unless it says otherwise itself."""

_OF_NOTHING: Final = hashlib.sha256(b"").hexdigest()
_LINE: Final = re.compile(r"(?P<name>\S+)\s+(?P<digest>[0-9a-fA-F]{64})(?P<admin>\s+admin)?")


@dataclass(frozen=True, slots=True)
class Key:
    """A client: its name, the SHA-256 of its key, and whether it may change policies."""

    name: str
    digest: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """The clients that are known."""

    known: tuple[Key, ...]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the keys of a file: a name, the SHA-256 in hexadecimal and perhaps `admin` on each line.

        Keys are long and random, so that a plain hash gives nothing away. Raises DataError for any other line, and for
        a file without a key, which would lock everyone out.
        """
        if not file.is_file():
            raise DataError(f"there is no file of API keys {file}; check the path")
        try:
            lines = enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1)
        except UnicodeDecodeError as reason:
            raise DataError(f"{file} is not in UTF-8; save it so") from reason
        keys = tuple(_key(file, number, line) for number, line in lines if line.strip() and not line.startswith("#"))
        if not keys:
            raise DataError(f"{file} holds no API key; write a name and the key's SHA-256 on a line")
        return cls(keys)

    def holder(self, presented: str) -> Key | None:
        """Return whose key this is; it takes the same time for every key, known or not."""
        digest = hashlib.sha256(presented.encode()).hexdigest() if presented else ""
        found = [key for key in self.known if hmac.compare_digest(key.digest, digest)]
        return found[0] if found else None


def require_key(keys: Keys | None, path: str, headers: Headers, open_paths: Iterable[str] = OPEN_PATHS) -> Key | None:
    """Return the key that a request brings; raises ServeError 401 where one is wanted and none of the known is there.

    It stands in `Authorization: Bearer …` or in `X-API-Key: …`.
    """
    if keys is None:
        return None
    scheme, _, token = headers.get("authorization", "").partition(" ")
    presented = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    holder = keys.holder(presented)
    if holder is None and path not in open_paths and not path.startswith(STATIC):
        raise ServeError(
            401, "Unauthorized", "an API key is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"}
        )
    return holder


def _key(file: Path, number: int, line: str) -> Key:
    found = _LINE.fullmatch(line.strip())
    if found is None:  # the line itself is not repeated, for it may hold a key
        raise DataError(f"{file} line {number} is no API key; write a name and the key's SHA-256 in hexadecimal")
    digest = found["digest"].lower()
    if digest == _OF_NOTHING:
        raise DataError(f"{file} line {number} is the SHA-256 of an empty key; hash the key itself")
    return Key(found["name"], digest, found["admin"] is not None)
