"""What a stage costs on this machine: per pair, and per text that it reads for the first time."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.learn.encoders import frozen_encoder
from shopglot.merge.decide import Decided, Decider
from shopglot.pack.bundle import load
from shopglot.serve.cascade.cascade import Cost

_CALLS: Final = 3


class Repetition(NamedTuple):
    """How a file repeats itself: distinct pairs per row, and distinct queries and targets per row."""

    pairs: float
    texts: float

    @classmethod
    def of(cls, pairs: Pairs) -> "Repetition":
        """Return how these pairs repeat; a file of which they are the beginning repeats itself no less."""
        return cls(distinct(pairs).height / max(1, len(pairs)), _texts(pairs) / max(1, len(pairs)))


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """A bundle with what it said of the evidence, and what that cost."""

    name: str
    folder: Path
    bundle: Decider
    decided: Decided
    cost: Cost


def measure(folder: Path, pairs: Pairs, known: tuple[str, ...]) -> Measured:
    """Load a bundle, score clean pairs twice and take the times: the second time no text is new.

    `known` are category paths that the shop has. Encoders that other bundles share are read anew, so that none of the
    texts is known to them; loading counts in neither time.
    """
    frozen_encoder.cache_clear()
    bundle = load(folder).knowing(known)
    cold, decided = _timed(bundle, pairs)
    warm, _ = _timed(bundle, pairs)
    call = min(_timed(bundle, Pairs(pairs.frame[:1]))[0] for _ in range(_CALLS))
    name = str(bundle.facts.get("name", folder.resolve().parent.name))
    return Measured(name, folder, bundle, decided, Cost(warm / len(pairs), max(0.0, cold - warm) / _texts(pairs), call))


def distinct(pairs: Pairs) -> pl.DataFrame:
    """Return the distinct task, query and target of the pairs."""
    return pairs.frame.select("task", "query", "target").unique(maintain_order=True)


def _timed(decider: Decider, pairs: Pairs) -> tuple[float, Decided]:
    start = perf_counter()
    decided = decider.score_clean(pairs)
    return perf_counter() - start, decided


def _texts(pairs: Pairs) -> int:
    return pairs["query"].n_unique() + pairs["target"].n_unique()
