"""A hand-written decider, and how a test has it score files."""

import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided
from shopglot.serve.settings import EngineSettings
from shopglot.serve.stream import Scoring, begun, score_chunks, survey_files


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
