"""What a process on any machine of a cluster does: it surveys or scores units of files that all machines see."""

import io
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from shopglot.core.errors import BundleError, ShopglotError
from shopglot.core.pairs import Pairs
from shopglot.curate.blocks import Place
from shopglot.curate.parquet import parquet_chunks, parquet_height, rows_in
from shopglot.curate.raw import RawTable
from shopglot.curate.settings import CurateSettings
from shopglot.pack.scored import scored_table
from shopglot.serve.cascade.deciders import load_decider
from shopglot.serve.files.chunks import clean_table
from shopglot.serve.files.engine import Engine
from shopglot.serve.files.settings import EngineSettings
from shopglot.serve.files.stream import checksum_of, counts_of, engine_for
from shopglot.serve.files.survey import Seen, Survey, read_survey, seen_in
from shopglot.serve.machines.shards import SURVEY, Shards
from shopglot.serve.machines.units import Unit, units

Row = dict[str, Any]
"""What goes to a worker and what comes back; `error` is what a person can mend, or empty."""


@dataclass(frozen=True, slots=True)
class Job:
    """Parquet files that a model is to score into the folder `out`; all machines see all these paths."""

    model: Path
    files: tuple[Path, ...]
    out: Path
    taxonomy: tuple[Path, ...] = ()
    max_bad_rows: float = 1.0
    settings: EngineSettings = field(default_factory=EngineSettings)

    @property
    def surveyed(self) -> Path:
        """The folder of what was found in all files before any was scored."""
        return self.out / SURVEY

    def units(self) -> list[Unit]:
        """Return the units of all files, each as long as a chunk."""
        return units([parquet_height(path) for path in self.files], rows_in(self.settings.chunk_bytes))

    def table(self, unit: Unit) -> RawTable:
        """Return the rows of a unit."""
        chunks = parquet_chunks(self.files[unit.file], None, Place(unit.start, unit.start + 1), unit.stop)
        return next(chunks)[0]


@dataclass(frozen=True)
class Surveyor:
    """Surveys units."""

    job: Job
    curate: CurateSettings

    def __call__(self, row: Row) -> Row:
        """Return what is seen in a unit."""
        return _answered(row, self._seen)

    def _seen(self, unit: Unit) -> Row:
        set_aside = io.BytesIO()
        return as_row(seen_in([self.job.table(unit)], self.curate, set_aside)) | {"set_aside": set_aside.getvalue()}


@dataclass(frozen=True)
class UnitScorer:
    """Scores units into shards; the model is loaded at the first one and then kept."""

    job: Job
    shards: Shards
    checksum: str

    def __call__(self, row: Row) -> Row:
        """Write the shard of a unit, unless it is there, as when a lost worker had just written it."""
        return _answered(row, self._scored)

    def _scored(self, unit: Unit) -> Row:
        if self.shards.said(unit) is None:
            self.shards.write(unit, *self._shard(self.job.table(unit)))
        return {}

    def _shard(self, table: RawTable) -> tuple[pl.DataFrame, dict[str, int]]:
        cleaned = clean_table(table, self.found.own, self.engine)
        if cleaned is None:
            return self._nothing(), {}
        pairs, counts = cleaned
        decided = self.engine.score(pairs).decided
        return scored_table(pairs, decided), counts | counts_of(decided)

    def _nothing(self) -> pl.DataFrame:
        """Return a shard without rows, so that all shards have the same columns."""
        texts = pl.DataFrame(schema=dict.fromkeys(("task", "query", "target"), pl.String()))
        pairs = Pairs.from_frame(pl.concat([self.found.own, texts], how="horizontal"))
        return scored_table(pairs, self.engine.decider.score_clean(pairs))

    @cached_property
    def found(self) -> Survey:
        """What all files have in common."""
        return read_survey(self.job.surveyed)

    @cached_property
    def engine(self) -> Engine:
        """The engine with a model that knows all category paths, as on one machine."""
        model = load_decider(self.job.model)
        if checksum_of(self.job.model) != self.checksum:
            raise BundleError(f"{self.job.model} is another model than where the scoring was started; copy it again")
        return engine_for(model, self.found, self.job.taxonomy, self.job.settings)


def as_row(seen: Seen) -> Row:
    """Return what was seen as numbers and bytes, which travel between machines without pickle."""
    return {
        "rows": seen.rows,
        "quarantined": seen.quarantined,
        "first_bad": json.dumps(seen.first_bad),
        "own": seen.own.write_ipc(None).getvalue(),
        "named": seen.named.write_ipc(None).getvalue(),
    }


def seen_of(row: Row) -> Seen:
    """Return what was seen, from `as_row`."""
    return Seen(
        rows=row["rows"],
        quarantined=row["quarantined"],
        first_bad=json.loads(row["first_bad"]),
        own=pl.read_ipc(row["own"]),
        named=pl.read_ipc(row["named"]),
    )


def _answered(row: Row, work: Callable[[Unit], Row]) -> Row:
    """Return what the work on a unit gives, or why there is none: where a machine lacks a file, it is named."""
    unit = Unit(row["number"], row["file"], row["start"], row["stop"])
    try:
        return row | work(unit) | {"error": ""}
    except (ShopglotError, OSError) as error:
        return row | {"error": f"on {platform.node()}: {error}"}
