"""Parquet files are scored by many workers, each unit of rows into a shard of its own."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Protocol

from shopglot.core.errors import ClusterError
from shopglot.core.files import require_own_folder, whole_folder
from shopglot.core.progress import counting
from shopglot.curate.quarantine import refuse_bad_share
from shopglot.curate.read import require_good_rows
from shopglot.curate.settings import CurateSettings
from shopglot.serve.cascade.deciders import load_decider
from shopglot.serve.files.journal import LOCK, locked
from shopglot.serve.files.stream import checksum_of, made_from
from shopglot.serve.files.survey import Seen, Survey, in_common, read_survey, write_survey
from shopglot.serve.machines.shards import QUARANTINE, Shards
from shopglot.serve.machines.units import Unit
from shopglot.serve.machines.worker import Job, Row, Surveyor, UnitScorer, seen_of


class Workers(Protocol):
    """What does the work on units; a worker that is lost before it answers is replaced by another."""

    def survey(self, units: Sequence[Unit], surveyor: Surveyor) -> Iterator[Row]:
        """Yield what the surveyor says of each unit, in their order."""
        ...

    def score(self, units: Sequence[Unit], scorer: UnitScorer) -> Iterator[Row]:
        """Yield what the scorer says of each unit."""
        ...


def score_in_shards(job: Job, connecting: AbstractContextManager[Workers]) -> dict[str, int]:
    """Write the shards of a job that are not there yet, then the manifest, and return how many rows had what.

    Raises DataError and RecipeError for inputs and folders that cannot be used, ClusterError for what goes wrong on
    another machine; what is whole stays, and the same call goes on from it.
    """
    require_own_folder(job.out, LOCK)
    with locked(job.out, job.out):
        setting = {"chunk_bytes": job.settings.chunk_bytes}
        shards = Shards.bound(job.out, made_from(job.files, job.model, job.taxonomy, setting))
        if (counted := shards.counted()) is not None:
            return counted
        units, model = job.units(), load_decider(job.model)
        with connecting as workers:
            found = _surveyed(job, units, model.curate, workers)
            _score(units, UnitScorer(job, shards, checksum_of(job.model)), workers)
        return shards.finish(units, job.files, {"rows": found.rows, "quarantined": found.quarantined})


def _surveyed(job: Job, units: Sequence[Unit], curate: CurateSettings, workers: Workers) -> Survey:
    """Return what all rows have in common, as the workers find it or an earlier call did; bad rows are written down."""
    if not job.surveyed.exists():
        seen: list[Seen] = []
        with whole_folder(job.surveyed) as part:
            with counting("survey", total=len(units), long=50) as advance, (part / QUARANTINE).open("wb") as set_aside:
                for row in workers.survey(units, Surveyor(job, curate)):
                    _require_no_error(row)
                    set_aside.write(row["set_aside"])
                    seen.append(seen_of(row))
                    advance(1)
            _require_good_files(job, units, seen)
            write_survey(in_common([job.files[unit.file] for unit in units], (), seen, curate), part)
    found = read_survey(job.surveyed)
    if found.first_bad is not None:
        listed = job.surveyed / QUARANTINE
        refuse_bad_share(found.quarantined, found.rows, job.max_bad_rows, found.first_bad, listed)
    return found


def _require_good_files(job: Job, units: Sequence[Unit], seen: Sequence[Seen]) -> None:
    of_file = groupby(zip(units, seen, strict=True), lambda part: part[0].file)
    parts = {number: [each for _, each in own] for number, own in of_file}
    for number, path in enumerate(job.files):
        own = parts.get(number, [])
        good = sum(each.rows - each.quarantined for each in own)
        require_good_rows(path, good, next((each.first_bad for each in own if each.first_bad), None))


def _score(units: Sequence[Unit], scorer: UnitScorer, workers: Workers) -> None:
    missing = [unit for unit in units if scorer.shards.said(unit) is None]
    if missing:
        all_rows, left = (sum(unit.stop - unit.start for unit in each) for each in (units, missing))
        with counting("score", total=all_rows, done=all_rows - left) as advance:
            for row in workers.score(missing, scorer):
                _require_no_error(row)
                advance(row["stop"] - row["start"])


def _require_no_error(row: Row) -> None:
    if row["error"]:
        raise ClusterError(row["error"])
