"""The most confident mistakes, each with the pairs that the model may have learned it from."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.fold.near import near_twins

_NEIGHBOURS: Final = 3
_NEAR: Final = 0.4
_TEXTS: Final = ("query", "english", "target")


class Neighbour(BaseModel):
    """A training pair with the same target or a similar query; `similarity` is the mean of both, from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    query: str
    english: str | None
    target: str
    label: int
    similarity: float


class Mistake(BaseModel):
    """A pair that was decided against its label, its texts as the model read them, and what was near it in training.

    `threshold` is None where every fold had its own.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    query: str
    english: str | None
    target: str
    label: int
    probability: float
    threshold: float | None
    nearest: tuple[Neighbour, ...]


class Mistakes(BaseModel):
    """The mistakes of one slice, the most confident first."""

    model_config = ConfigDict(frozen=True)

    false_positives: tuple[Mistake, ...]
    false_negatives: tuple[Mistake, ...]


def worst_mistakes(
    judged: Judged, train: Pairs, count: int, thresholds: Mapping[Task, float]
) -> dict[Task, dict[str, Mistakes]]:
    """Return up to `count` false positives and as many false negatives per task and language, the most confident first.

    `train` are the pairs that the judged model learned from, and `thresholds` those it decided by. The nearest pairs
    have the same target or a query with similar trigrams, in English where both sides have that.
    """
    worst = _worst(judged, count)
    nearest = _nearest(worst, train)
    slices: dict[Task, dict[str, Mistakes]] = {}
    for (task, language), rows in worst.group_by("task", "language", maintain_order=True):
        kinds: dict[int, list[Mistake]] = {0: [], 1: []}
        for row in rows.drop("task", "language").iter_rows(named=True):
            said = {"threshold": thresholds.get(task), "nearest": nearest.get(row["id"], ())}
            kinds[row["label"]].append(Mistake(**row, **said))
        slices.setdefault(task, {})[language] = Mistakes(
            false_positives=tuple(kinds[0]), false_negatives=tuple(kinds[1])
        )
    return slices


def _worst(judged: Judged, count: int) -> pl.DataFrame:
    columns = judged.pairs.frame.select(
        "id", pl.col("task").cast(pl.String), pl.col("language").fill_null("unknown"), *_TEXTS, "label"
    )
    rows = columns.with_columns(probability=pl.Series(judged.probability), decision=pl.Series(judged.decision))
    wrong = rows.filter(pl.col("decision") != (pl.col("label") == 1)).drop("decision")
    doubt = pl.when(pl.col("label") == 1).then("probability").otherwise(-pl.col("probability"))
    ranked = wrong.sort("task", "language", doubt, "id")
    return ranked.filter(pl.int_range(pl.len()).over("task", "language", "label") < count)


def _nearest(worst: pl.DataFrame, train: Pairs) -> dict[str, tuple[Neighbour, ...]]:
    """Return the nearest training pairs of each mistake, by its id."""
    known = train.frame.select(pl.col("task").cast(pl.String), *_TEXTS, "label").unique().with_columns(text=_said())
    asked = worst.select("id", "task", "target", text=_said())
    near = near_twins(asked["text"].unique(), known["text"].unique(), _NEAR).select("text", "twin")
    by_target = asked.join(known, on=["task", "target"], suffix="_known").with_columns(target_known="target")
    by_query = (
        asked.join(near, on="text")
        .join(known.rename({"text": "twin"}), on=["task", "twin"], suffix="_known")
        .rename({"twin": "text_known"})
    )
    columns = ["id", "text", "target", "text_known", "target_known", "query", "english", "label"]
    both = pl.concat([by_target.select(columns), by_query.select(columns)]).unique()
    trigrams = partial(ngrams, size=3)
    alike = (
        overlap(both["text"], both["text_known"], trigrams)["jaccard"]
        + overlap(both["target"], both["target_known"], words)["jaccard"]
    ) / 2
    ranked = both.with_columns(similarity=alike).sort(
        "similarity", "text_known", "target_known", "label", descending=[True, False, False, False]
    )
    found: dict[str, tuple[Neighbour, ...]] = {}
    for (mistake,), rows in ranked.group_by("id", maintain_order=True):
        shown = rows.head(_NEIGHBOURS).select("query", "english", "label", "similarity", target="target_known")
        found[str(mistake)] = tuple(Neighbour(**row) for row in shown.iter_rows(named=True))
    return found


def _said() -> pl.Expr:
    """The query in English where it is known, so that twins in other languages are near."""
    return pl.coalesce("english", "query")
