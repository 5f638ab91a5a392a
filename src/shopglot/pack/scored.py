"""Scored files: the input's columns as they were, and what the model says of each row."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.json_lines import NOT_A_NUMBER
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided

SUFFIXES: Final = (".jsonl", ".json", ".txt", ".parquet")
SCORED: Final = ("score", "prediction", "threshold", "read", "flag", "stage")
TRANSLATION: Final = "translated_query"
_REMEDY: Final = "give a file that `shopglot score` wrote"
log = logging.getLogger(__name__)


def check_out(out: Path, rejected: Path, inputs: Iterable[Path]) -> None:
    """Raise DataError, before any work is done, where a scored file cannot be written or would replace an input."""
    if out.suffix not in SUFFIXES:
        raise DataError(f"cannot write {out.name!r}; give --out a name that ends in {', '.join(SUFFIXES)}")
    if out.is_dir():
        raise DataError(f"{out} is a folder; name a file with --out")
    for file in inputs:
        if any(written.exists() and file.exists() and written.samefile(file) for written in (out, rejected)):
            raise DataError(f"{file} is an input that would be replaced; choose another --out")


def scored_table(pairs: Pairs, decided: Decided) -> pl.DataFrame:
    """Return the pairs as their file had them, with what is decided; columns of an earlier scoring are replaced.

    `score` is the calibrated P(relevant), `prediction` is 1 where it reaches `threshold`, `read` says which
    text of the query the model had, and `flag` why a row without a text to judge has its task's prior. What a cascade
    decided has `stage` too, the name of the stage that did.
    """
    own = pairs.own_columns().drop(SCORED, strict=False)
    first = [] if "id" in own.columns else [pairs["id"]]
    return pl.select(
        *first,
        *own.get_columns(),
        pl.Series("score", decided.probability),
        pl.Series("prediction", decided.decision).cast(pl.Int8),
        pl.Series("threshold", decided.threshold),
        (pl.lit(None, dtype=pl.String) if decided.read is None else decided.read).alias("read"),
        pairs["flag"],
        *([] if decided.stage is None else [decided.stage.alias("stage")]),
    )


def write_translated(pairs: Pairs, translations: pl.Series, out: Path) -> None:
    """Write the input's columns as they were with `translated_query`, which is filled in where it was blank."""
    own = pairs.own_columns()
    given = own.get_column(TRANSLATION, default=pl.Series([None])).cast(pl.String)
    written = pl.select(pl.when(given.str.strip_chars() != "").then(given).alias(TRANSLATION)).to_series()
    with whole_file(out) as part:
        write_table(own.with_columns(pl.coalesce(written, translations).alias(TRANSLATION)), part, out.suffix)


def write_table(table: pl.DataFrame, path: Path, suffix: str) -> None:
    """Write Parquet where `suffix` is `.parquet`, else JSON lines."""
    if suffix == ".parquet":
        table.write_parquet(path)
    else:
        table.write_ndjson(path)


def read_scored(path: Path) -> tuple[Judged, dict[Task, float]]:
    """Return the labelled rows of a scored file as it judged them, and the threshold that most rows of each task have.

    Raises DataError where the file lacks a column of a scored file, holds what `write_scored` never writes there, has
    an id twice, or has no label. Rows that cannot be judged are left out with a warning.
    """
    read = prepare_for_scoring([path], CurateSettings(correct_language=False))
    _require_numbers(read.quarantine, path)
    pairs = read.pairs.labelled
    said = scored_columns(pairs, path)
    require_ids_once(pairs, str(path))
    if not len(pairs):
        raise DataError(f"{path} has no labels to evaluate against; score a file that has a column `label`")
    if left_out := read.counts["rows"] - len(pairs):
        log.warning(
            "%d of the %d rows of %s are no pairs or have no label 0 or 1, and are left out",
            left_out, read.counts["rows"], path,
        )  # fmt: skip
    thresholds = pl.select(pairs["task"], said["threshold"]).group_by("task").agg(pl.col("threshold").mode().min())
    judged = Judged("scored file", pairs, said["score"].to_numpy(), (said["prediction"] == 1).to_numpy())
    return judged, dict(thresholds.rows())


def require_ids_once(pairs: Pairs, where: str) -> None:
    """Raise DataError where two pairs have the same id."""
    twice = pairs["id"].filter(pairs["id"].is_duplicated())
    if len(twice):
        raise DataError(f"two rows of {where} have the id {twice[0]!r}; give every pair an id of its own")


def _require_numbers(broken: pl.DataFrame, path: Path) -> None:
    """Raise DataError for a row that could not be read because it holds NaN, as a model that failed has for a score."""
    lines = broken.filter(pl.col("reason") == NOT_A_NUMBER)["line"]
    if len(lines):
        raise DataError(f"{path} line {lines[0]} holds NaN, which is no score; {_REMEDY}")


def scored_columns(pairs: Pairs, path: Path, names: Sequence[str] = SCORED[:3]) -> pl.DataFrame:
    """Return what a scored file says of the `pairs` read from it: its columns `names` as numbers, row by row.

    Raises DataError where one is absent, or holds what `write_scored` never writes there.
    """
    missing = [name for name in names if OWN + name not in pairs.frame.columns]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; {_REMEDY}")
    return pl.DataFrame({name: _shares(pairs, name, path) for name in names})


def _shares(pairs: Pairs, name: str, path: Path) -> pl.Series:
    """Return a column of numbers from 0 to 1, which a CSV holds as text."""
    column = pairs[OWN + name]
    numbers = column.dtype.is_numeric() or column.dtype == pl.String
    shares = column.cast(pl.Float64, strict=False) if numbers else pl.Series([None] * len(pairs), dtype=pl.Float64)
    sound = shares.is_in([0.0, 1.0]) if name == "prediction" else shares.is_between(0.0, 1.0)
    wrong = ~sound.fill_null(value=False)
    if wrong.any():
        row, value = pairs["id"].filter(wrong)[0], column.filter(wrong).to_list()[0]
        raise DataError(f"the {name} of {row} in {path} is {value!r}; {_REMEDY}")
    return shares
