"""Scored files: the input's columns as they were, and what the model says of each row."""

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided

SUFFIXES: Final = (".jsonl", ".json", ".txt", ".parquet")
SCORED: Final = ("score", "prediction", "threshold", "flag")


def check_out(out: Path) -> None:
    """Raise DataError, before any work is done, where a scored file cannot be written."""
    if out.suffix not in SUFFIXES:
        raise DataError(f"cannot write {out.name!r}; give --out a name that ends in {', '.join(SUFFIXES)}")
    if out.is_dir():
        raise DataError(f"{out} is a folder; name a file with --out")


def write_scored(pairs: Pairs, decided: Decided, out: Path) -> None:
    """Write Parquet where `out` ends in `.parquet`, else JSON lines; columns of an earlier scoring are replaced.

    `score` is the calibrated P(relevant), `prediction` is 1 where it reaches `threshold`, and `flag` says why a row
    without a text to judge has its task's prior.
    """
    own = pairs.own_columns().drop(SCORED, strict=False)
    first = [] if "id" in own.columns else [pairs["id"]]
    table = pl.select(
        *first,
        *own.get_columns(),
        pl.Series("score", decided.probability),
        pl.Series("prediction", decided.decision).cast(pl.Int8),
        pl.Series("threshold", decided.threshold),
        pairs["flag"],
    )
    with whole_file(out) as part:
        if out.suffix == ".parquet":
            table.write_parquet(part)
        else:
            table.write_ndjson(part)


def read_scored(path: Path) -> tuple[Judged, dict[Task, float]]:
    """Return the labelled rows of a scored file as it judged them, and the threshold of each task.

    Raises DataError where the file lacks a column of a scored file, or has no label.
    """
    pairs = prepare_for_scoring([path], CurateSettings(correct_language=False)).pairs.labelled
    missing = [name for name in SCORED[:3] if OWN + name not in pairs.frame.columns]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; evaluate a file that `shopglot score` wrote")
    if not len(pairs):
        raise DataError(f"{path} has no labels to evaluate against; score a file that has a column `label`")
    score, decision = pairs[OWN + "score"].cast(pl.Float64), pairs[OWN + "prediction"] == 1
    thresholds = pairs.frame.group_by("task").agg(pl.col(OWN + "threshold").first())
    judged = Judged("scored file", pairs, np.asarray(score), np.asarray(decision))
    return judged, dict(thresholds.rows())
