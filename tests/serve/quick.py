"""Deciders written by hand, which are quick and whose answers are plain to see."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided

THRESHOLD = 0.5


@dataclass(eq=False)
class SharedWords:
    """Decides by the share of the query's words that the target has; remembers the sizes of its batches."""

    curate: CurateSettings = field(default_factory=CurateSettings)
    batches: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    @property
    def columns_read(self) -> tuple[str, ...]:
        return ()

    def score_clean(self, pairs: Pairs) -> Decided:
        self.batches.append(len(pairs))
        self.threads.add(threading.get_ident())
        rows = zip(pairs["query"], pairs["target"], strict=True)
        probability = np.array([shared(query, target) for query, target in rows])
        return Decided(probability, probability >= THRESHOLD, np.full(len(pairs), THRESHOLD))

    def knowing(self, paths: Iterable[str]) -> "SharedWords":
        return self


@dataclass(eq=False)
class Held(SharedWords):
    """The same, once it is let go on."""

    go: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)

    def score_clean(self, pairs: Pairs) -> Decided:
        self.began.set()
        if not self.go.wait(10):
            raise TimeoutError("nobody let it go on")
        return super().score_clean(pairs)


@dataclass(eq=False)
class Failing(SharedWords):
    """The same, but for a query that it fails on."""

    def score_clean(self, pairs: Pairs) -> Decided:
        for query in pairs["query"]:
            if "poison" in query:
                raise RuntimeError(query)
        return super().score_clean(pairs)


def shared(query: str, target: str) -> float:
    """Return the share of words, within .05 and .95."""
    asked, has = set(query.split()), set(target.replace(",", " ").split())
    return 0.05 + 0.9 * len(asked & has) / max(1, len(asked))
