"""Deciders written by hand, whose answers are plain to see, and how a test has one score files."""

import itertools
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decided, Decision, TaskDecision
from shopglot.serve.files.settings import EngineSettings
from shopglot.serve.files.stream import Scoring, begun, score_chunks, survey_files

PLAIN = Decision(
    tasks={task: TaskDecision(calibration=Calibration(kind="none"), threshold=0.5, prior=0.3) for task in ("QC", "QI")}
)

CURATE = CurateSettings(correct_language=False)


@dataclass(frozen=True, eq=False, slots=True)
class ByColumn:
    """Decides each pair by the probability in one of the file's own columns; keeps the ids that it was asked."""

    column: str
    decision: Decision = PLAIN
    curate: CurateSettings = CURATE
    known: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    @property
    def columns_read(self) -> tuple[str, ...]:
        return (f"own:{self.column}",)

    def score_clean(self, pairs: Pairs) -> Decided:
        self.asked.extend(pairs["id"].to_list())
        decided = self.decision.decide(pairs, pairs[f"own:{self.column}"].to_numpy())
        return replace(decided, read=pl.Series([self.column], dtype=pl.String).new_from_index(0, len(pairs)))

    def knowing(self, paths: Iterable[str]) -> "ByColumn":
        return replace(self, known=self.known | set(paths))


def table(columns: Mapping[str, list[float]], tasks: list[str] | None = None) -> Pairs:
    """Return pairs with the probabilities of each decider in a column of its name."""
    rows = len(next(iter(columns.values())))
    frame = {"task": tasks or ["QC", "QI"] * (rows // 2) + ["QC"] * (rows % 2), "query": ["tea"] * rows}
    return Pairs.from_frame(pl.DataFrame({**frame, "target": [f"shelf {n}" for n in range(rows)], **columns}))


class Stopped(Exception):
    """What a scoring is stopped with."""


@dataclass(frozen=True, eq=False, slots=True)
class ByText:
    """Decides by a checksum of all that it reads and knows, and keeps what it was asked; fails at its last call."""

    curate: CurateSettings = field(default_factory=lambda: CurateSettings(correct_language=False))
    columns_read: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)
    calls: Iterator[int] = field(default_factory=itertools.count)
    last: int | None = None

    def score_clean(self, pairs: Pairs) -> Decided:
        if next(self.calls) == self.last:
            raise Stopped
        own = [name for name in self.columns_read if name in pairs.frame.columns]
        rows = pairs.frame.select("task", "query", "english", "target", *own).rows()
        self.asked.extend(rows)
        probability = np.array([zlib.crc32(repr((row, self.paths)).encode()) % 1000 for row in rows]) / 1000
        said = pl.Series(["cheap" if share < 0.5 else "dear" for share in probability], dtype=pl.String)
        return Decided(probability, probability >= 0.5, np.full(len(pairs), 0.5), said)

    def knowing(self, paths: Iterable[str]) -> "ByText":
        return replace(self, paths=tuple(sorted({*self.paths, *paths})))


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


def score(
    files: Iterable[Path], out: Path, decider: ByText | None = None, *, chunk_bytes: int = 2**24, remember: int = 1_000
) -> dict[str, int]:
    """Score files as the command does, with a model that costs nothing."""
    settings = EngineSettings(chunk_bytes=chunk_bytes, remember=remember)
    scoring, decider = Scoring(tuple(files), out, settings=settings), decider or ByText()
    scoring.check()
    model = out.with_name("model.json")
    if not model.exists():
        model.write_text("{}", encoding="utf-8")
    with begun(scoring, model) as journal:
        found = survey_files(scoring, decider, journal)
        return score_chunks(scoring, decider, found, journal)
