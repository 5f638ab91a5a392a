"""What a competition is sent: written from scored files, checked against the task files, compared with another."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import require_folder_of, whole_folder
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.curate.json_lines import read_json_lines
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings
from shopglot.pack.scored import scored_columns
from shopglot.report.faults import TARGETS, Fault, file_faults, written_rows

ZIP: Final = "submit.zip"
FILES: Final[Mapping[Task, str]] = {task: f"submit_{task}.txt" for task in TASKS}
_KEY: Final = ("id", "language", "query", "target")


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Where two submissions decide differently.

    `counts` has a row per task and language: task, language, pairs, differ, and how many of these only the first and
    only the second calls relevant. `differing` has the pairs: task, id, language, query, target, first, second.
    """

    counts: pl.DataFrame
    differing: pl.DataFrame


def write_submission(scored: Sequence[Path], tasks: Sequence[Path], out: Path) -> dict[str, tuple[int, int]]:
    """Write the submission for the task files into the folder `out`; return per file the pairs and the relevant ones.

    It is checked before it takes its place: for any fault DataError is raised, and `out` stays as it was. Scored rows
    of a task without a task file are left out.
    """
    wanted = _read_tasks(tasks)
    answers = pl.concat([_read_answers(path) for path in scored])
    require_folder_of(out, {ZIP, *FILES.values()})
    own = {task: answers.filter(pl.col("task") == task).drop("task") for task in wanted}
    if absent := [task for task, rows in own.items() if rows.is_empty()]:
        raise DataError(f"no scored row is of task {absent[0]}; score its task file too")
    with whole_folder(out) as part:
        for task, rows in own.items():
            _write_rows(rows, task, part / FILES[task])
        _write_zip(part, [FILES[task] for task in own])
        if faults := _check(part, wanted):
            more = f" (and {len(faults) - 1} more kinds of fault)" if len(faults) > 1 else ""
            raise DataError(f"the scored rows make no submission: {faults[0]}{more}; score the task files as they are")
    return {FILES[task]: (rows.height, int(rows["prediction"].sum())) for task, rows in own.items()}


def check_submission(submission: Path, tasks: Sequence[Path]) -> list[Fault]:
    """Return every kind of fault that a submission, a folder or a zip, has as an answer to the task files.

    Each row of a task file is to be answered once, in the order of the ids, with its texts as they are there and the
    prediction 0 or 1. No fault, an empty list.
    """
    return _check(submission, _read_tasks(tasks))


def compare_submissions(first: Path, second: Path) -> Comparison:
    """Return where two submissions, each a folder or a zip, decide differently.

    Raises DataError when they do not answer the same pairs, or one of them has a fault of its own.
    """
    with _unpacked(first) as one, _unpacked(second) as other:
        tasks = [task for task in TASKS if (one / FILES[task]).exists() or (other / FILES[task]).exists()]
        if not tasks:
            raise DataError(f"neither {first} nor {second} has {' or '.join(FILES.values())}; name two submissions")
        both = pl.concat([_both(task, one, other) for task in tasks])
    differs = pl.col("first") != pl.col("second")
    counts = both.group_by("task", "language").agg(
        pairs=pl.len(),
        differ=differs.sum(),
        only_first=(differs & (pl.col("first") == 1)).sum(),
        only_second=(differs & (pl.col("second") == 1)).sum(),
    )
    return Comparison(counts.sort("task", "language"), both.filter(differs))


def _read_tasks(paths: Sequence[Path]) -> dict[Task, pl.DataFrame]:
    """Return the rows of each task that are to be answered, with texts as they stand in the file."""
    read = read_pairs(paths, CurateSettings(), training=False)
    if read.quarantine.height:
        file, line, reason, _ = read.quarantine.row(0)
        raise DataError(f"{file} line {line} cannot be answered: {reason}; fetch the task file again")
    rows = _as_in_the_file(read.pairs, "the task files")
    twice = rows.filter(rows.select("task", "id").is_duplicated())
    if twice.height:
        raise DataError(f"the task files have id {twice['id'][0]} of {twice['task'][0]} twice; name each file once")
    return {task: rows.filter(pl.col("task") == task).drop("task") for task in read.pairs.tasks}


def _read_answers(path: Path) -> pl.DataFrame:
    """Return `task`, the columns of a task's rows and `prediction` of each scored row."""
    pairs = read_pairs([path], CurateSettings(), training=False).pairs
    return _as_in_the_file(pairs, str(path)).hstack(scored_columns(pairs, path, ["prediction"]).cast(pl.Int64))


def _as_in_the_file(pairs: Pairs, where: str) -> pl.DataFrame:
    own, targets = pairs.own_columns(), [TARGETS[task] for task in pairs.tasks]
    if absent := [name for name in ("id", "language", "origin_query", *targets) if name not in own.columns]:
        raise DataError(f"{where}: no {' and no '.join(absent)}; give files in the form of the competition")
    target = pl.coalesce(
        pl.when(pl.col("task") == task).then(pl.col(TARGETS[task]).cast(pl.String)) for task in pairs.tasks
    )
    texts = [pl.col("id").cast(pl.String), pl.col("language").cast(pl.String)]
    query = pl.col("origin_query").cast(pl.String)
    return own.with_columns(pairs["task"].cast(pl.String)).select("task", *texts, query=query, target=target)


def _check(submission: Path, wanted: Mapping[Task, pl.DataFrame]) -> list[Fault]:
    with _unpacked(submission) as folder:
        faults = [fault for task, rows in wanted.items() for fault in file_faults(folder / FILES[task], task, rows)]
    return faults + _zip_faults(submission, {FILES[task] for task in wanted})


def _write_rows(rows: pl.DataFrame, task: Task, path: Path) -> None:
    number = pl.col("id").cast(pl.Int64, strict=False)
    named = rows.rename({"query": "origin_query", "target": TARGETS[task]})
    named.with_columns(id=number).sort("id").write_ndjson(path)


def _write_zip(folder: Path, names: Iterable[str]) -> None:
    """Zip the files without their times, so that the same submission gives the same bytes."""
    with zipfile.ZipFile(folder / ZIP, "w") as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)


@contextmanager
def _unpacked(submission: Path) -> Iterator[Path]:
    """Give the folder of a submission's files; those of a zip are unpacked while the block lasts."""
    if submission.is_dir():
        yield submission
        return
    with TemporaryDirectory() as folder:
        for name, data in _members(submission).items():
            if name in FILES.values():
                Path(folder, name).write_bytes(data)
        yield Path(folder)


def _members(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise DataError(f"there is no submission {path}; name a folder or a zip")
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as reason:
        raise DataError(f"{path} is no whole zip file ({reason}); write the submission again") from reason


def _zip_faults(submission: Path, names: set[str]) -> list[Fault]:
    """Return what is wrong with the zip itself; in a folder it has to hold the files that stand beside it."""
    path = submission / ZIP if submission.is_dir() else submission
    if not path.exists():
        return [Fault("the submission", "files missing", 1, ZIP)]
    members = _members(path)
    beside = {name: (submission / name).read_bytes() for name in sorted(names) if (submission / name).is_file()}
    kinds = {
        "files that no task file asks for": sorted(members.keys() - names),
        "files unlike those beside it": [name for name, data in beside.items() if members.get(name) != data],
    }
    return [Fault(path.name, kind, len(found), found[0]) for kind, found in kinds.items() if found]


def _both(task: Task, one: Path, other: Path) -> pl.DataFrame:
    """Return the pairs of a task with the predictions of both submissions, each checked as an answer to the other."""
    paths = [folder / FILES[task] for folder in (one, other)]
    if absent := [path for path in paths if not path.is_file()]:
        raise DataError(f"only one of the submissions has {absent[0].name}; compare submissions of the same tasks")
    rows = [written_rows(read_json_lines(path), task) for path in paths]
    for path, each in zip(paths, reversed(rows), strict=True):
        if faults := file_faults(path, task, each.select(_KEY).unique("id")):
            raise DataError(f"the submissions cannot be compared: {faults[0]}; compare whole answers to the same files")
    answers = [each.select(*_KEY, pl.col("prediction").cast(pl.Int64)) for each in rows]
    joined = (
        answers[0]
        .rename({"prediction": "first"})
        .join(answers[1].select("id", second="prediction"), on="id", maintain_order="left")
    )
    return joined.select(pl.lit(task).alias("task"), pl.all())
