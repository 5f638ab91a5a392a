"""Bodies that nobody means well with."""

import json
import random
from collections.abc import Iterator

PATHS = (
    "/rerank", "/predict", "/v1/rerank", "/v2/rerank", "/score", "/classify", "/v1/relevance", "/v1/filter",
    "/v1/categories",
)  # fmt: skip
_WELL_FORMED = {
    "query": "tea",
    "texts": ["tea"],
    "inputs": [["tea", "tea"]],
    "documents": ["tea"],
    "text_1": "tea",
    "text_2": ["tea"],
    "input": [["tea", "tea"]],
    "pairs": [{"query": "tea", "target": "tea"}],
    "candidates": ["tea"],
}
_WRONG = (
    b"NaN", b"-Infinity", b"1e999", b"1" + b"0" * 4000, b'"\\ud800"', b'"\\udfff tea"', b"null", b"true", b"{}", b"[]",
    b"[[]]", b'""', b'["\\ud83d"]', b"-0.0", b'{"": {"": []}}', b"[1, [2, [3]]]",
)  # fmt: skip


def bodies(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield paths with bodies that no path reads: each has at least one field that is wrong, or is no JSON at all."""
    draw = random.Random(seed)
    kinds = (_bytes, _nested, _cut, _field_wrong)
    for _ in range(count):
        yield draw.choice(PATHS), draw.choice(kinds)(draw)


def _bytes(draw: random.Random) -> bytes:
    return b"\xff" + draw.randbytes(draw.randrange(2000))


def _nested(draw: random.Random) -> bytes:
    opening = draw.choice((b"[", b'{"query":', b'[{"a":'))
    return opening * draw.choice((10, 1000, 50_000))


def _cut(draw: random.Random) -> bytes:
    whole = json.dumps(_WELL_FORMED).encode()
    return whole[: draw.randrange(len(whole) - 1)]


def _field_wrong(draw: random.Random) -> bytes:
    """Put what no field means in the place of every field."""
    fields = (json.dumps(name).encode() + b": " + draw.choice(_WRONG[:8]) for name in _WELL_FORMED)
    return b"{" + b", ".join(fields) + b"}"
