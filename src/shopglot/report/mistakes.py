"""The most confident mistakes, each with the pairs that the model may have learned it from."""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.fold.near import nearest_twins
from shopglot.merge.decide import Decision
from shopglot.report.settings import ReportSettings
from shopglot.report.slices import Rows, rows_of_values, slice_columns

SLICED: Final = ("top_category", "script", "seen_in_training")
"""The slices beside the language whose mistakes are shown."""
_MOST: Final = 12
_AT_ONCE: Final = 50
"""Mistakes whose neighbours are ranked together, which bounds the memory."""
TWINS: Final = 200
"""Similar queries in whose pairs the neighbours of a mistake are sought, beside the pairs with its target."""
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
    """The most confident mistakes of one slice, in that order, of all the `wrong` ones it has."""

    model_config = ConfigDict(frozen=True)

    wrong: int
    false_positives: tuple[Mistake, ...]
    false_negatives: tuple[Mistake, ...]


def worst_mistakes(
    judged: Judged, train: Pairs, settings: ReportSettings, decision: Decision | None
) -> dict[Task, dict[str, dict[str, Mistakes]]]:
    """Return the most confident mistakes per task, column and value, `settings.mistakes` of each kind.

    The columns are the language, those of `SLICED` and those of the settings; of columns other than the language the
    values with the most mistakes are shown. `train` are the pairs that the judged model learned from, and `decision`
    is what it decided by; None where every fold had its own. The nearest pairs have the same target or a query with
    similar trigrams, in English where both sides have that; of more than `TWINS` such queries the most similar count.
    """
    wrong = judged.where(judged.decision != (judged.pairs.labels == 1))
    slices = [each for task in wrong.pairs.tasks for each in _slices(wrong, task, settings, train)]
    if not settings.mistakes or not slices:
        return {}
    shown = np.unique(np.concatenate([each.worst for each in slices]))
    mistakes = dict(zip(shown.tolist(), _mistakes(wrong.where(_mask(shown, wrong)), train, decision), strict=True))
    found: dict[Task, dict[str, dict[str, Mistakes]]] = {}
    for each in slices:
        worst = [mistakes[row] for row in each.worst.tolist()]
        found.setdefault(each.task, {}).setdefault(each.column, {})[each.value] = Mistakes(
            wrong=each.wrong,
            false_positives=tuple(mistake for mistake in worst if mistake.label == 0),
            false_negatives=tuple(mistake for mistake in worst if mistake.label == 1),
        )
    return found


class _Slice(NamedTuple):
    """How many mistakes a slice has, and the rows of the `worst` of both kinds, the most confident first."""

    task: Task
    column: str
    value: str
    wrong: int
    worst: Rows


def _slices(wrong: Judged, task: Task, settings: ReportSettings, train: Pairs) -> Iterator[_Slice]:
    own = np.flatnonzero((wrong.pairs["task"] == task).to_numpy())
    labels, ids = wrong.pairs.labels, wrong.pairs["id"].rank("dense").to_numpy()
    doubt = np.where(labels == 1, wrong.probability, -wrong.probability)
    columns = slice_columns(wrong.pairs.of_task(task), settings.slices, train if len(train) else None)
    for column in [name for name in ("language", *SLICED, *settings.slices) if name in columns]:
        values = {value: own[rows] for value, rows in rows_of_values(columns[column]).items()}
        most = sorted(values, key=lambda value: -len(values[value]))[: None if column == "language" else _MOST]
        for value in [value for value in values if value in most]:
            rows = values[value]
            ranked = rows[np.lexsort((ids[rows], doubt[rows]))]
            worst = [ranked[labels[ranked] == label][: settings.mistakes] for label in (0, 1)]
            yield _Slice(task, column, value, len(ranked), np.concatenate(worst))


def _mask(rows: Rows, judged: Judged) -> Mask:
    mask = np.zeros(len(judged.pairs), dtype=np.bool_)
    mask[rows] = True
    return mask


def _mistakes(wrong: Judged, train: Pairs, decision: Decision | None) -> list[Mistake]:
    """Return each row as a mistake, with its nearest training pairs."""
    threshold = [None] * len(wrong.pairs) if decision is None else decision.threshold_per_row(wrong.pairs).tolist()
    texts = wrong.pairs.frame.select("id", pl.col("task").cast(pl.String), *_TEXTS, "label")
    nearest = _nearest(texts, train)
    said = texts.drop("task").with_columns(probability=pl.Series(wrong.probability))
    return [
        Mistake(**row, threshold=own, nearest=nearest.get(row["id"], ()))
        for row, own in zip(said.iter_rows(named=True), threshold, strict=True)
    ]


def _nearest(worst: pl.DataFrame, train: Pairs) -> dict[str, tuple[Neighbour, ...]]:
    """Return the nearest training pairs of each mistake, by its id."""
    known = train.frame.select(pl.col("task").cast(pl.String), *_TEXTS, "label").unique().with_columns(text=_said())
    asked = worst.select("id", "task", "target", text=_said())
    twins = nearest_twins(asked["text"].unique(), known["text"].unique(), _NEAR, TWINS).select("text", "twin")
    ranked = [_ranked(few, known, twins) for few in asked.iter_slices(_AT_ONCE)]
    found: dict[str, tuple[Neighbour, ...]] = {}
    for (mistake,), rows in pl.concat(ranked).group_by("id", maintain_order=True):
        shown = rows.select("query", "english", "label", "similarity", target="target_known")
        found[str(mistake)] = tuple(Neighbour(**row) for row in shown.iter_rows(named=True))
    return found


def _ranked(asked: pl.DataFrame, known: pl.DataFrame, twins: pl.DataFrame) -> pl.DataFrame:
    """Return the nearest known pairs of each mistake, the most similar first."""
    by_target = asked.join(known, on=["task", "target"], suffix="_known").with_columns(target_known="target")
    by_query = (
        asked.join(twins, on="text")
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
    order = ["similarity", "text_known", "target_known", "label"]
    ranked = both.with_columns(similarity=alike).sort(order, descending=[True, False, False, False])
    return ranked.group_by("id", maintain_order=True).head(_NEIGHBOURS)


def _said() -> pl.Expr:
    """The query in English where it is known, so that twins in other languages are near."""
    return pl.coalesce("english", "query")
