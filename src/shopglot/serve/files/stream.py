"""Files of any size are scored in little memory, and a killed scoring goes on where it was."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import sha256
from shopglot.core.progress import counting
from shopglot.curate.quarantine import refuse_bad_share
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.merge.decide import Decided, Decider
from shopglot.pack.scored import check_out, scored_table
from shopglot.serve.files.ahead import ahead
from shopglot.serve.files.chunks import Cursor, clean_chunks
from shopglot.serve.files.engine import Engine
from shopglot.serve.files.journal import Done, Journal, locked
from shopglot.serve.files.settings import EngineSettings
from shopglot.serve.files.survey import Survey, survey

_HEAD: Final = 2**16


@dataclass(frozen=True, slots=True)
class Scoring:
    """Files that are to be scored, and the file their rows go to with what the model says of them."""

    files: tuple[Path, ...]
    out: Path
    taxonomy: tuple[Path, ...] = ()
    max_bad_rows: float = 1.0
    settings: EngineSettings = field(default_factory=EngineSettings)

    @property
    def rejected(self) -> Path:
        """The file of the rows that are no pairs."""
        return self.out.with_name(f"{self.out.stem}.quarantine.jsonl")

    @property
    def folder(self) -> Path:
        """The folder that holds what is done for as long as not everything is."""
        return self.out.with_name(f"{self.out.name}.parts")

    def check(self) -> None:
        """Raise DataError where `out` cannot be written or would replace an input, or there is no such input."""
        check_out(self.out, self.rejected, (*self.files, *self.taxonomy))
        if absent := [path for path in self.files if not path.exists()]:
            raise DataError(f"there is no file {absent[0]}; check the path")


@contextmanager
def begun(scoring: Scoring, model: Path) -> Iterator[Journal]:
    """Give the journal of a scoring by the model at a path, new or as a killed process has left it.

    Raises DataError where another process writes the same file, and where inputs, model or settings have changed since
    the journal was begun. A scoring that fails before it has done anything leaves nothing behind.
    """
    with locked(scoring.folder, scoring.out):
        journal = Journal(scoring.folder, scoring.out.suffix)
        setting = {"chunk_bytes": scoring.settings.chunk_bytes, "suffix": scoring.out.suffix}
        journal.bind(made_from(scoring.files, model, scoring.taxonomy, setting))
        try:
            yield journal
        except BaseException:
            if not journal.done() or _changed(scoring, journal):
                shutil.rmtree(scoring.folder)
            raise
        shutil.rmtree(scoring.folder)


def survey_files(scoring: Scoring, decider: Decider, journal: Journal) -> Survey:
    """Return what the files' rows have in common, and write those that are no pairs, if any, into their file.

    Raises DataError when they are more than the share that may be.
    """
    rejected = scoring.folder / "quarantine.jsonl"
    found = survey(scoring.files, decider.curate, scoring.settings.chunk_bytes, rejected)
    _require_unchanged(scoring, journal)
    scoring.rejected.unlink(missing_ok=True)  # that of an earlier scoring says nothing of this one
    if found.first_bad is not None:
        rejected.replace(scoring.rejected)
        refuse_bad_share(found.quarantined, found.rows, scoring.max_bad_rows, found.first_bad, scoring.rejected)
    return found


def score_chunks(scoring: Scoring, decider: Decider, found: Survey, journal: Journal) -> dict[str, int]:
    """Score what the journal does not hold yet, write all of it as `out`, and return how many rows had what."""
    engine, parts = engine_for(decider, found, scoring.taxonomy, scoring.settings), journal.done()
    for part in parts:
        engine.scores.remember(journal.learned(part.number))
    with counting("score", total=found.rows, done=sum(part.rows for part in parts)) as advance:
        for part in _scored_parts(scoring, found, engine, journal, parts[-1:]):
            parts.append(part)
            advance(part.rows)
    journal.join(len(parts), scoring.out)
    counts = Counter[str]()
    for part in parts:
        counts.update(part.counts)
    return {"rows": found.rows, "quarantined": found.quarantined} | in_order(counts)


def engine_for(decider: Decider, found: Survey, taxonomy: Sequence[Path], settings: EngineSettings) -> Engine:
    """Return the engine with a model that knows all category paths of the files and the taxonomy."""
    curate = decider.curate.model_copy(update={"languages": decider.curate.languages or found.languages})
    return Engine(decider.knowing([*read_taxonomy(taxonomy, curate), *found.paths]), settings, curate)


def counts_of(decided: Decided) -> dict[str, int]:
    """Return how many rows are relevant, and how many each stage of a cascade decided."""
    stages = [] if decided.stage is None else decided.stage.drop_nulls().value_counts().iter_rows()
    return {"relevant": int(decided.decision.sum())} | {f"decided by {name}": count for name, count in stages}


def in_order(counts: Counter[str]) -> dict[str, int]:
    """Return the counts of flags, the most frequent first, and then the others."""
    last = [name for name in ("languages corrected", "relevant") if name in counts]
    return {name: count for name, count in counts.most_common() if name not in last} | {
        name: counts[name] for name in last
    }


def made_from(
    files: Sequence[Path], model: Path, taxonomy: Sequence[Path], setting: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what scored rows depend on, each part of it under the name by which a person knows it."""
    return {
        "input": _marks(files),
        "model": checksum_of(model),
        "taxonomy": _marks(taxonomy),
        "setting": dict(setting),
        "version of shopglot or polars": [metadata.version("shopglot"), pl.__version__],
    }


def checksum_of(model: Path) -> str:
    """Return the checksum that changes with a bundle's folder or a routing file."""
    return sha256(model / "manifest.json" if model.is_dir() else model)


def _scored_parts(
    scoring: Scoring, found: Survey, engine: Engine, journal: Journal, last: Sequence[Done]
) -> Iterator[Done]:
    """Write the parts that follow the last one, one for each chunk."""
    number, start = (last[0].number + 1, last[0].after) if last else (0, Cursor())
    chunks = clean_chunks(scoring.files, found, engine, scoring.settings.chunk_bytes, start)
    for chunk in ahead(chunks):
        answer = engine.score(chunk.pairs)
        counts = chunk.counts | counts_of(answer.decided)
        done = Done(number, len(chunk.pairs), counts, chunk.after)
        _require_unchanged(scoring, journal)
        journal.write(scored_table(chunk.pairs, answer.decided), answer.learned, done)
        yield done
        number += 1


def _require_unchanged(scoring: Scoring, journal: Journal) -> None:
    if changed := _changed(scoring, journal):
        raise DataError(f"{changed[0]} has changed while it was read; score it again when nothing writes it any more")


def _changed(scoring: Scoring, journal: Journal) -> list[str]:
    """Return the inputs that are not what they were when the journal was begun."""
    before = journal.binding["input"]
    return [name for name, mark in _marks(scoring.files).items() if before[name] != mark]


def _marks(paths: Sequence[Path]) -> dict[str, Any]:
    return {str(path.absolute()): _mark(path) for path in paths}


def _mark(path: Path) -> dict[str, Any]:
    """Return what changes when a file does: its size, its time, and the checksum of its beginning."""
    if not path.exists():
        return {}
    if path.is_dir():
        return {each.name: _mark(each) for each in sorted(path.iterdir()) if each.is_file()}
    with path.open("rb") as file:
        beginning = hashlib.sha256(file.read(_HEAD)).hexdigest()
    return {"size": path.stat().st_size, "time": path.stat().st_mtime_ns, "beginning": beginning}
