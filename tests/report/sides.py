"""Runs and scored files on disk, made of judged pairs out of thin air."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.report.kept import Side, read_side, write_judged
from tests.report.made_up import both_tasks

RECIPE: dict[str, Any] = {
    "name": "base",
    "seed": 1,
    "data": {"simulate": {"pairs": 600, "seed": 7}},
    "enrich": {},
    "fold": {"qc": "both"},
    "format": {"query": "both"},
    "learn": [{"learner": "lexical"}],
}


def run_folder(folder: Path, *judged: Judged, **recipe: Any) -> Path:
    """Return a folder with what `compare` reads of a run."""
    folder.mkdir(parents=True)
    write_judged(judged, ["seen_type"], folder)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE | recipe), encoding="utf-8")
    return folder


def side(folder: Path, *judged: Judged, **recipe: Any) -> Side:
    return read_side(run_folder(folder, *judged, **recipe))


def run(folder: Path, *, skill: float = 1.5, **recipe: Any) -> Path:
    """Return a run with dev and out-of-fold evidence of both tasks."""
    return run_folder(folder, both_tasks("dev", skill=skill), both_tasks("out-of-fold", skill=skill, folds=3), **recipe)


def scored_file(path: Path, judged: Judged) -> Path:
    """Return a file as `shopglot score` writes it for the QC pairs of the competition's layout."""
    frame = judged.pairs.frame
    rows = [
        {
            "id": key.removeprefix("QC-"),
            "task": "QC",
            "language": language,
            "origin_query": query,
            "category_path": target,
            "label": label,
            "score": score,
            "prediction": int(decision),
            "threshold": 0.5,
        }
        for key, language, query, target, label, score, decision in zip(
            *(frame[name].to_list() for name in ("id", "language", "query", "target", "label")),
            judged.probability.tolist(),
            judged.decision.tolist(),
            strict=True,
        )
    ]
    pl.DataFrame(rows).write_ndjson(path)
    return path


def changed(judged: Judged, *, rows: Any = slice(None), flip: tuple[int, ...] = (), **columns: Any) -> Judged:
    """Return some rows, with the decisions of `flip` turned over and columns of the pairs replaced."""
    probability, decision = judged.probability.copy(), judged.decision.copy()
    for row in flip:
        decision[row] = ~decision[row]
        probability[row] = 1 - probability[row]
    frame = judged.pairs.frame.with_columns(**columns)
    return Judged(judged.name, Pairs(frame[rows]), np.asarray(probability[rows]), np.asarray(decision[rows]))
