"""Hand-written scorers, and simulated out-of-fold scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import read_json, write_json
from shopglot.core.metrics import Floats, Labels
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold, SavableScorer, Scores


@dataclass(frozen=True, eq=False, slots=True)
class ByQuery:
    """Scores a pair by its query, and keeps what it was asked."""

    scores: Mapping[str, float]
    asked: list[str] = field(default_factory=list)

    def score(self, pairs: Pairs) -> Scores:
        self.asked.extend(pairs["id"].to_list())
        return pairs["query"].replace_strict(dict(self.scores), return_dtype=pl.Float64).to_numpy()

    def save(self, folder: Path) -> None:
        if any(folder.iterdir()):
            raise DataError(f"{folder} is not empty")
        write_json(folder / "scorer.json", {"kind": "by query", "scores": dict(self.scores)})


@dataclass(frozen=True, eq=False, slots=True)
class Unsavable:
    """Answers one half to everything, and cannot be written down."""

    def score(self, pairs: Pairs) -> Scores:
        return np.full(len(pairs), 0.5)


def load_by_query(folder: Path) -> SavableScorer:
    return ByQuery(read_json(folder / "scorer.json")["scores"])


LOADERS: Mapping[str, Callable[[Path], SavableScorer]] = {"by query": load_by_query}


def table(tasks: Sequence[str], labels: Sequence[int | None], queries: Sequence[str] | None = None) -> Pairs:
    queries = [f"query {n}" for n in range(len(tasks))] if queries is None else queries
    return Pairs.from_frame(
        pl.DataFrame({"task": tasks, "query": queries, "target": ["lamp"] * len(tasks), "label": labels})
    )


def simulated(
    rows: int, models: int, seed: int, *, temperature: Sequence[float] | None = None
) -> tuple[Labels, Floats]:
    """Return labels and the scores, shape (rows, models), of ever noisier models; a temperature below 1 is too sure."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.3, 2.0, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    noise = rng.normal(0.0, 1.0, (rows, models)) * (1.0 + np.arange(models))
    log_odds = (truth[:, np.newaxis] + noise) / np.array(temperature or [1.0] * models)
    return labels, 1 / (1 + np.exp(-log_odds))


def out_of_fold(pairs: Pairs, scores: Floats, folds: Sequence[str], models: Sequence[str]) -> OutOfFold:
    """Return `scores`, shape (rows, models), as the out-of-fold scores of `pairs`."""
    parts = [
        OutOfFold.of(pairs.filter(pl.Series(folds) == fold), scores[np.array(folds) == fold, n], model=model, fold=fold)
        for n, model in enumerate(models)
        for fold in sorted(set(folds))
    ]
    return OutOfFold.concat(parts)
