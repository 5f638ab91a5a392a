"""Thresholds of languages, and of top categories within a language, drawn towards that of their parent."""

from typing import Final

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from shopglot.core.category import levels
from shopglot.core.log_odds import logit, sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.merge.settings import MergeSettings, Per
from shopglot.merge.threshold import steady_threshold

_KEYS: Final = {
    "language": pl.col("language"),
    "category": pl.when(pl.col("task") == "QC").then(levels(pl.col("target")).list.first()),
}
"""What a pair's slices are told by: a product's title names no category."""
_DEPTH: Final[dict[Per, int]] = {"none": 0, "language": 1, "category": 2}


class SliceThreshold(BaseModel):
    """The threshold of a language, or of a top category within it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str = Field(description="The language of the query.")
    category: str | None = Field(None, description="The first level of the category path; null: all of the language.")
    relevant: int = Field(ge=0, description="The relevant pairs that it was chosen on.")
    threshold: float = Field(ge=0, le=1, description="The lowest probability that counts as relevant.")

    @property
    def depth(self) -> int:
        """How far below the task it stands: 1 for a language, 2 for a category."""
        return 1 if self.category is None else 2


def slice_thresholds(
    pairs: Pairs, probabilities: Floats, weights: Floats, task_threshold: float, settings: MergeSettings
) -> tuple[SliceThreshold, ...]:
    """Return the thresholds of the slices of one task's labelled pairs that have relevant and irrelevant ones.

    `probabilities` and `weights` have the shape (rows,). A slice's own threshold is averaged on the scale of log
    odds with that of its parent, which is the language for a category and the task for a language: with n relevant
    pairs it weighs n / (n + shrinkage).
    """
    columns = {"label": pairs["label"], "probability": pl.Series(probabilities), "weight": pl.Series(weights)}
    finest = list(_KEYS)[: _DEPTH[settings.per]]
    evidence = pairs.frame.select(**{key: _KEYS[key] for key in finest}, **columns)
    found: dict[tuple[str, ...], SliceThreshold] = {}
    for depth in range(1, len(finest) + 1):
        keys = finest[:depth]
        for key, part in sorted(evidence.drop_nulls(keys).partition_by(keys, as_dict=True).items()):
            relevant = int(part["label"].sum())
            if 0 < relevant < part.height:
                labels, probability, weight = (part[name].to_numpy() for name in columns)
                own = steady_threshold(labels, probability, weight, settings.threshold)
                parent = found[key[:-1]].threshold if depth > 1 else task_threshold
                threshold = _shrunk(own, parent, relevant / (relevant + settings.shrinkage))
                found[key] = SliceThreshold(**dict(zip(keys, key, strict=True)), relevant=relevant, threshold=threshold)
    return tuple(found.values())


def per_slice(slices: tuple[SliceThreshold, ...], per: Per) -> tuple[SliceThreshold, ...]:
    """Return the thresholds that `slice_thresholds` would have chosen with the coarser setting `per`."""
    return tuple(each for each in slices if each.depth <= _DEPTH[per])


def threshold_per_row(pairs: Pairs, task_threshold: float, slices: tuple[SliceThreshold, ...]) -> Floats:
    """Return the threshold of the finest slice that each pair lies in, shape (rows,), or else that of the task."""
    if not slices:
        return np.full(len(pairs), task_threshold)
    threshold = pl.Series("threshold", [task_threshold]).new_from_index(0, len(pairs))
    for depth in range(1, len(_KEYS) + 1):
        keys = list(_KEYS)[:depth]
        known = [each for each in slices if each.depth == depth]
        if known:
            table = pl.DataFrame([each.model_dump(include={*keys, "threshold"}) for each in known])
            rows = pairs.frame.select(**{key: _KEYS[key] for key in keys})
            threshold = rows.join(table, on=keys, how="left", maintain_order="left")["threshold"].fill_null(threshold)
    return threshold.to_numpy()


def _shrunk(own: float, parent: float, weight: float) -> float:
    return float(sigmoid(np.array([weight, 1 - weight]) @ logit(np.array([own, parent]))))
