"""What a language loses that has no labels, on a finished run: `python -m benchmarks.new_languages [RUN]`.

One JSON line per task and language says what F1 out of fold is with the language's labels, and with weights,
calibration and threshold from the other languages alone: by the threshold of languages left out in turn, and by that of
the task. The models did learn from these languages.

One line per task and language of the dev files without labels in training says what F1 is there with three thresholds:
both of these, chosen on all out-of-fold scores, and the best, which only the labels of the language tell. What ships
has other probabilities than those that the thresholds were chosen on.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion, Decisions
from shopglot.core.pair import Task
from shopglot.core.scores import OutOfFold
from shopglot.merge.chain import cross_fitted, cross_fitted_unlabelled, fit_chain
from shopglot.merge.decide import TaskDecision
from shopglot.merge.settings import MergeSettings
from shopglot.pack.record import SCORES
from shopglot.report.kept import Side, read_side

SETTINGS: Final = MergeSettings()


def main(folder: Path) -> None:
    """Print the figures of one run."""
    side, scores = read_side(folder), OutOfFold(pl.read_parquet(folder / SCORES))
    pairs = side.evidence["out-of-fold"].pairs
    decision = fit_chain(pairs, scores, SETTINGS).decision
    for found in (*_out_of_fold(side, scores), *_dev(side.evidence["dev"], decision.tasks)):
        print(json.dumps({"benchmark": "new_languages", "run": folder.name, **found}))


def _out_of_fold(side: Side, scores: OutOfFold) -> Iterator[dict[str, Any]]:
    pairs = side.evidence["out-of-fold"].pairs
    known, without = cross_fitted(pairs, scores, SETTINGS), cross_fitted_unlabelled(pairs, scores, SETTINGS)
    judgements: dict[str, Judged] = {"labels": known, "left-out": without["left-out"], "task": without["task"]}
    for (task, language), rows in _slices(known).items():
        f1s = {how: _f1(judged, rows, judged.decision) for how, judged in judgements.items()}
        yield {"evidence": known.name, "task": task, "language": language, "pairs": int(rows.sum()), "f1": f1s}


def _dev(dev: Judged, tasks: Mapping[Task, TaskDecision]) -> Iterator[dict[str, Any]]:
    for (task, language), rows in _slices(dev).items():
        own = tasks[task]
        if language in own.labelled or own.unlabelled is None:
            continue
        thresholds = {"left-out": own.unlabelled, "task": own.threshold}
        f1s = {how: _f1(dev, rows, dev.probability >= threshold) for how, threshold in thresholds.items()}
        f1s["best"] = max(_f1(dev, rows, dev.probability >= threshold) for threshold in dev.probability[rows])
        told = {how: round(threshold, 3) for how, threshold in thresholds.items()}
        yield {"evidence": dev.name, "task": task, "language": language, "pairs": int(rows.sum()),
               "thresholds": told, "f1": f1s}  # fmt: skip


def _slices(judged: Judged) -> dict[tuple[Task, str], Decisions]:
    frame = (
        judged.pairs.frame.select("task", "language").drop_nulls().unique(maintain_order=True).sort("task", "language")
    )
    return {
        (task, language): ((judged.pairs["task"] == task) & (judged.pairs["language"] == language))
        .fill_null(value=False)
        .to_numpy()
        for task, language in frame.iter_rows()
    }


def _f1(judged: Judged, rows: Decisions, decision: Decisions) -> float:
    return round(Confusion.of(judged.pairs.labels[rows], np.asarray(decision)[rows]).f1, 4)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/shopify-qc"))
