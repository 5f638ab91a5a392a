"""What each output of a model should say of each training pair, and the loss that says how far off it is."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.learn.llm_settings import HierarchySettings, LLMSettings

ABSENT: Final = -100.0
"""Where an output has no target; the Trainer counts all others and divides the loss by their number."""

Targets = NDArray[np.float32]
"""One target per pair and output, shape (pairs, outputs)."""


def output_names(settings: LLMSettings) -> tuple[str, ...]:
    """Return the outputs of the model: the tasks', or one for all of them, and then the category levels.

    >>> output_names(LLMSettings(model="m", task_heads=True, hierarchy=HierarchySettings(levels=2)))
    ('QC', 'QI', 'level 1', 'level 2')
    """
    tasks = settings.trained_tasks if settings.task_heads else ("relevant",)
    depth = settings.hierarchy.levels if settings.hierarchy else 0
    return (*tasks, *(f"level {level}" for level in range(1, depth + 1)))


def output_of(outputs: tuple[str, ...], task: Task) -> int:
    """Return which output answers for a task."""
    return outputs.index(task) if task in outputs else outputs.index("relevant")


def targets_of(pairs: Pairs, outputs: tuple[str, ...], smoothing: float = 0.0) -> Targets:
    """Return the target of each output, `ABSENT` where a pair says nothing of it; no 0 or 1 is nearer than `smoothing`.

    A category level is relevant where any training pair makes the query relevant below it. It is irrelevant where
    the query is relevant to something else, and unknown where nothing relevant to the query is known.
    """
    wanted = np.full((len(pairs), len(outputs)), ABSENT, dtype=np.float32)
    for task in pairs.tasks:
        rows = (pairs["task"] == task).to_numpy()
        wanted[rows, output_of(outputs, task)] = pairs.filter(rows).labels
    for column, name in enumerate(outputs):
        if name.startswith("level "):
            wanted[:, column] = _level_targets(pairs, int(name.removeprefix("level ")))
    return np.where(wanted == ABSENT, wanted, np.clip(wanted, smoothing, 1 - smoothing))


def _level_targets(pairs: Pairs, level: int) -> Targets:
    path = levels(pl.col("target"))
    ancestor = pl.when((pl.col("task") == "QC") & (path.list.len() >= level)).then(path.list.head(level).list.join(","))
    rows = pairs.frame.select("query", "label", ancestor=ancestor)
    known = rows.filter(pl.col("label") == 1).drop_nulls("ancestor").select("query", "ancestor").unique()
    joined = rows.join(
        known.with_columns(relevant=pl.lit(1.0)), on=["query", "ancestor"], how="left", maintain_order="left"
    )
    irrelevant = pl.when(pl.col("query").is_in(known["query"].implode())).then(0.0).otherwise(ABSENT)
    target = pl.when(pl.col("ancestor").is_null()).then(ABSENT).otherwise(pl.coalesce("relevant", irrelevant))
    return joined.select(target.cast(pl.Float32)).to_series().to_numpy()


def loss_of(outputs: tuple[str, ...], hierarchy: HierarchySettings | None) -> Callable[..., Any]:
    """Return the loss that the Trainer calls: binary cross-entropy of the targets that are there.

    With a hierarchy the levels' part is weighted, and a category more relevant than its parent costs the difference
    of the two probabilities.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, relu

    is_level = [name.startswith("level ") for name in outputs]
    weights = torch.tensor([hierarchy.weight if hierarchy and level else 1.0 for level in is_level])
    answers = torch.tensor([not level for level in is_level])

    def loss(predicted: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        logits, present = predicted.logits.float(), labels != ABSENT
        each = binary_cross_entropy_with_logits(logits, labels.clamp(min=0), reduction="none")
        total = (each * present * weights.to(logits.device)).sum()
        if hierarchy:
            total = total + hierarchy.consistency * contradiction(logits, present)
        return total / (present.sum() if num_items_in_batch is None else num_items_in_batch)

    def contradiction(logits: Any, present: Any) -> Any:
        probabilities = logits.sigmoid()
        heads, depths = answers.to(logits.device), ~answers.to(logits.device)
        own = (probabilities * (present & heads)).sum(dim=1, keepdim=True)
        ancestors, known = probabilities[:, depths], present[:, depths]
        below = relu(ancestors[:, 1:] - ancestors[:, :-1]) * (known[:, 1:] & known[:, :-1])
        return (relu(own - ancestors) * known).sum() + below.sum()

    return loss
