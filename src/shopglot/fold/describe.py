"""What the folds hold: how many pairs judge and train, how many judge nothing, and how large the groups are."""

from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pairs import Pairs

_FEWEST_OF_A_CLASS: Final = 20


def describe(pairs: Pairs, folds: Folds) -> dict[str, Any]:
    """Return figures that JSON can hold.

    Under each task stands one row per part: how many pairs judge it, the share of relevant ones among those with a
    label, the number of their languages, and how many pairs train the model it judges; under `no part` the pairs
    whose keys lie in different parts, so that they judge nothing. Under `groups` stand the number of groups and the
    largest one of each key, and under `notes` what is amiss with the tune part and the languages that not every fold
    judges.
    """
    parts = (*folds.names, TUNE, TEST)
    judges = {part: folds.judges(pairs, part) for part in parts}
    trains = {part: folds.trains(pairs, part if part in folds.names else None) for part in parts}
    judged = pl.Series(np.select(list(judges.values()), list(parts), "no part"))
    rows = pairs.frame.with_columns(part=pl.when(pl.col("made_from").is_null()).then(judged))
    tables: dict[str, Any] = {}
    for task in pairs.tasks:
        own = rows["task"] == task
        trained = {part: int((mask & own.to_numpy()).sum()) for part, mask in trains.items()}
        tables[task] = _by_part(rows.filter(own), trained)
    groups = {key: _sizes(folds.groups[key]) for key in folds.parts}
    return {**tables, "groups": groups, "notes": [*tune_notes(pairs, folds), *_notes(rows, folds.count)]}


def tune_notes(pairs: Pairs, folds: Folds) -> list[str]:
    """Say where the labels of the tune part are too few to calibrate on."""
    tune, notes = pairs.filter(folds.judges(pairs, TUNE)).labelled, []
    for task in pairs.labelled.tasks:
        labels = tune.of_task(task).labels
        relevant = int(labels.sum())
        if min(relevant, len(labels) - relevant) < _FEWEST_OF_A_CLASS:
            notes.append(
                f"{task}: probabilities and threshold rest on the {len(labels)} pairs of tune, of which {relevant} are "
                "relevant; label more, raise fold.tune or, in QC, keep only queries apart"
            )
    return notes


def _by_part(rows: pl.DataFrame, trained: dict[str, int]) -> dict[str, dict[str, Any]]:
    table = rows.group_by("part").agg(
        judges=pl.len(), label_rate=pl.col("label").mean().round(4), languages=pl.col("language").n_unique()
    )
    by_part = {part: figures for part, *figures in table.rows()}
    names = ("judges", "label_rate", "languages")
    return {
        part: dict(zip(names, by_part.get(part, (0, None, 0)), strict=True)) | {"trains": trained.get(part, 0)}
        for part in (*trained, "no part")
    }


def _sizes(groups: pl.Series) -> dict[str, Any]:
    sizes = groups.drop_nulls().value_counts(sort=True, name="rows")["rows"]
    return {"groups": len(sizes), "largest": sizes[0], "largest_share": round(sizes[0] / sizes.sum(), 4)}


def _notes(rows: pl.DataFrame, folds: int) -> list[str]:
    """Name the languages of which some fold judges no pair."""
    in_fold = ~pl.col("part").is_in([TUNE, TEST, "no part"])
    scarce = (
        rows.drop_nulls("part")
        .group_by("task", "language")
        .agg(pl.len().alias("pairs"), pl.col("part").filter(in_fold).n_unique().alias("judged"))
        .filter(pl.col("judged") < folds)
        .sort("task", "language")
    )
    return [
        f"{task} {language or 'without a language'}: {pairs} pairs, judged in {judged} of {folds} folds"
        for task, language, pairs, judged in scarce.rows()
    ]
