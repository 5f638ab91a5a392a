"""What a run leaves beside its results, so that it can be told from others and repeated."""

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import checksums, read_json, require_own_folder, whole_file, write_json
from shopglot.core.folds import Folds
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold

SCORES: Final = "out_of_fold.parquet"
PACKAGES: Final = (
    "shopglot",
    "numpy",
    "polars",
    "torch",
    "transformers",
    "sentence-transformers",
    "scikit-learn",
    "optuna",
)


def begin_run(recipe: str, out: Path, name: str = "recipe.yaml") -> None:
    """Leave the resolved recipe and the versions of the libraries in `out`; refuse a folder of anything else."""
    kept = out / name
    require_own_folder(out, kept.name)
    if kept.exists() and kept.read_text(encoding="utf-8", errors="replace") != recipe:
        raise RecipeError(f"{out} holds a run of another recipe; choose another --out, or remove that folder")
    with whole_file(kept) as part:
        part.write_text(recipe, encoding="utf-8")
    versions = {name: _version(name) for name in PACKAGES}
    write_json(
        out / "environment.json", {"python": platform.python_version(), "machine": platform.machine(), **versions}
    )


def keep_checksums(files: dict[str, str], kept: Path) -> None:
    """Keep the files' checksums in `kept`; refuse to go on with models that were fitted on other files."""
    try:
        changed = kept.exists() and read_json(kept) != files
    except ValueError as reason:
        raise DataError(f"{kept} is damaged; choose another --out, or remove {kept.parent}") from reason
    if changed:
        raise DataError(f"the files have changed since {kept.parent} was begun; choose another --out, or remove it")
    write_json(kept, files)


def keep_teacher(run: Path, unlabelled: Sequence[Path], out: Path) -> None:
    """Keep in `out` which run teaches and with which files beside its own; refuse others than those it began with.

    Raises DataError too where the run's own files are no longer what they were when it was made.
    """
    if read_json(run / "files.json") != read_json(out / "files.json"):
        raise DataError(f"the files have changed since {run} was made; run its recipe again in another folder")
    given = checksums([run / SCORES, run / "bundle" / "manifest.json"])
    more = {f"unlabelled/{name}": found for name, found in checksums(unlabelled).items()} if unlabelled else {}
    keep_checksums(given | more, out / "teacher.json")


def require_finished(run: Path, *more: str) -> None:
    """Raise DataError where `run` is not the folder of a run that has its out-of-fold scores, and `more` files."""
    for name in ("recipe.yaml", "files.json", SCORES, *more):
        if not (run / name).is_file():
            raise DataError(f"{run} is no finished run, for it has no {name}; name the folder of a `shopglot run`")


def read_scores(run: Path, pairs: Pairs, folds: Folds, tasks: Mapping[str, Sequence[Task]]) -> OutOfFold:
    """Return the out-of-fold scores that a run has kept; `tasks` are those of each of its learners.

    Raises DataError where they are damaged, NaN or given twice, where they are of pairs that are not among `pairs`,
    and where a pair that judges a fold has no score of a learner of its task.
    """
    path = run / SCORES
    try:
        scores = OutOfFold(pl.read_parquet(path))
    except pl.exceptions.PolarsError as reason:
        raise DataError(f"{path} is damaged ({reason}); make the run again in another folder") from reason
    foreign = scores.frame.filter(~pl.col("id").is_in(pairs["id"].implode()))["id"]
    if len(foreign):
        raise DataError(f"{path} scores {foreign[0]!r}, which is no training pair of {run}; it is of another run")
    judging = pairs.filter(pl.any_horizontal(pl.Series(folds.judges(pairs, fold)) for fold in folds.names))
    for name, own in tasks.items():
        expected = judging.of_tasks(own)["id"]
        absent = expected.filter(~expected.is_in(scores.frame.filter(pl.col("model") == name)["id"].implode()))
        if len(absent):
            raise DataError(
                f"{path} lacks the scores of {name!r} for {len(absent)} of {len(expected)} pairs, such as "
                f"{absent[0]!r}; make the run again in another folder"
            )
    return scores


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
