"""Texts found by the runs of letters they share with a query."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_SIZES: Final = (2, 3, 4)
_PATH: Final = 0.3
"""How much a run counts that stands in the path alone, and not in the name."""


@dataclass(frozen=True, eq=False, slots=True)
class LetterIndex:
    """For each run of letters the texts that have it, weighted by how rare it is, texts of unit length."""

    postings: dict[str, tuple[Rows, Floats]]
    texts: int

    @classmethod
    def of(cls, names: Sequence[str], paths: Sequence[str]) -> Self:
        """Return the index of names, each beside the path that it ends."""
        weights = [_weights(name, path) for name, path in zip(names, paths, strict=True)]
        having: defaultdict[str, int] = defaultdict(int)
        for own in weights:
            for run in own:
                having[run] += 1
        rarity = {run: math.log(1 + len(names) / count) for run, count in having.items()}
        lists: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for row, own in enumerate(weights):
            length = math.sqrt(sum((weight * rarity[run]) ** 2 for run, weight in own.items())) or 1.0
            for run, weight in own.items():
                lists[run].append((row, weight * rarity[run] ** 2 / length))
        return cls({run: _columns(entries) for run, entries in lists.items()}, len(names))

    def similar(self, text: str) -> Floats:
        """Return the cosine of each text with the query up to a factor of the query's, shape (texts,)."""
        similar = np.zeros(self.texts)
        for run in set(_runs(text)):
            rows, weights = self.postings.get(run, _NONE)
            similar[rows] += weights
        return similar


_NONE: Final = (np.zeros(0, np.int64), np.zeros(0))


def _weights(name: str, path: str) -> dict[str, float]:
    return dict.fromkeys(_runs(path), _PATH) | dict.fromkeys(_runs(name), 1.0)


def _runs(text: str) -> Iterable[str]:
    padded = f" {text} "
    return (padded[start : start + size] for size in _SIZES for start in range(len(padded) - size + 1))


def _columns(entries: list[tuple[int, float]]) -> tuple[Rows, Floats]:
    rows, weights = zip(*entries, strict=True)
    return np.array(rows, np.int64), np.array(weights)
