"""A split that others have made, and what leaks through it by every key that pairs are known by."""

import logging
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.folds import TEST, TUNE
from shopglot.core.pairs import Pairs
from shopglot.curate.read import whole_table
from shopglot.fold.audit import with_twins
from shopglot.fold.group import group_pairs, subtree
from shopglot.fold.settings import FoldSettings
from shopglot.fold.spelling import each_once, sorted_words, spelling

log = logging.getLogger(__name__)
TRAIN: Final = "train"
_PART: Final = ("fold", "split", "part")
_BY_QUERY: Final = FoldSettings(qc="query", qi="query")


def read_split(path: Path, pairs: Pairs) -> pl.DataFrame:
    """Return `id` and `part` of the pairs that a split file deals: one with `id` and `fold`, `split` or `part`.

    An id is that of the file of pairs, beside a column `task` where both tasks have it, or the one it has here, such
    as `QC-17`. Raises DataError for a file without these columns, for an id that no pair has, that pairs of both tasks
    have or that stands there twice, and for fewer than two parts. Pairs without a part are left out with a warning.
    """
    rows = _split_rows(path)
    ids = pairs["id"]
    names = pl.concat([pl.DataFrame({"name": ids, "id": ids}), pl.DataFrame({"name": ids.str.slice(3), "id": ids})])
    owners = names.group_by("name").agg(pl.col("id").min(), owners=pl.col("id").n_unique())
    split = rows.join(owners, on="name", how="left", maintain_order="left")
    faults = {
        "is no pair of the given files; give all files that the split is of": pl.col("id").is_null(),
        "is that of a pair of each task; add a column `task` to the split": pl.col("owners") > 1,
        "stands there twice; leave one of them": ~pl.col("id").is_first_distinct(),
    }
    for what, holds in faults.items():
        wrong = split.filter(holds)["name"]
        if len(wrong):
            raise DataError(f"{path}: the id {wrong[0]!r} {what}")
    dealt = split.select("id", "part").drop_nulls()
    if dealt["part"].n_unique() < 2:  # noqa: PLR2004
        raise DataError(
            f"{path} has fewer than two parts, so nothing can leak; give a split of folds, or train and test"
        )
    if left_out := len(pairs) - dealt.height:
        log.warning("%d of the %d pairs have no part in %s and are left out", left_out, len(pairs), path)
    return dealt


def leaks(pairs: Pairs, split: pl.DataFrame, settings: FoldSettings, seed: int) -> pl.DataFrame:
    """Return one row per task and key: how many pairs `judge`, and which `share` of them is known in training by it.

    Where a part is called `train`, it alone trains, and all others judge. Else the parts are folds, each judged by a
    model of the others, of which `tune` and `test` train nothing. `example` is the id of one pair that leaks and
    `known` the text that training knows it by. Near duplicates are looked for as when pairs are dealt: among at most
    `near_duplicate_texts` texts, drawn by `seed`.
    """
    keyed = _keyed(pairs, settings).join(split, on="id")
    judging, training = _sides(keyed)
    tables = []
    for task in pairs.tasks:
        own = judging.filter(pl.col("task") == task)
        for key in keyed.columns[2:-1]:
            found, known = (side.select("part", "id", text=key).drop_nulls() for side in (own, training))
            if not found.height:
                continue
            if key.startswith("near "):
                known_by = with_twins(found, known, settings, seed)
            else:
                seen = known.select("part", "text").unique().with_columns(twin="text")
                known_by = found.join(seen, on=["part", "text"], how="left", maintain_order="left")
            tables.append(_summed_up(known_by, task, key))
    return pl.concat(tables)


def _split_rows(path: Path) -> pl.DataFrame:
    """Return `name` and `part` of each row of a split file, as text."""
    rows = whole_table(path).rows
    columns = rows.columns
    part = [name for name in _PART if name in columns]
    if "id" not in columns or len(part) != 1:
        raise DataError(
            f"{path} is no split, for it needs id and one of {', '.join(_PART)}; it has {', '.join(columns)}"
        )
    name = pl.format("{}-{}", "task", "id") if "task" in columns else pl.col("id").cast(pl.String)
    text = pl.col(part[0]).cast(pl.String).str.strip_chars()
    return rows.select(name=name.fill_null(""), part=pl.when(text != "").then(text))


def _keyed(pairs: Pairs, settings: FoldSettings) -> pl.DataFrame:
    """Return `id`, `task` and one column per key: the text that pairs share which know of each other by it."""
    frame = pairs.frame
    category, item = (pl.when(pl.col("task") == task).then("target") for task in ("QC", "QI"))
    path, title = frame.select(category).to_series(), frame.select(item).to_series()
    shelf = each_once(path, lambda path: subtree(path, settings.category_levels))
    group, leaf, spelled = group_pairs(pairs, _BY_QUERY)["query"], path.str.to_lowercase(), each_once(title, spelling)
    texts = {
        "query": each_once(frame["query"], spelling),
        "english": each_once(frame["english"], spelling),
        "concept": frame["concept"],
        "query group": group.cast(pl.String),
        "query and target": pl.select(pl.format("{} × {}", group, pl.coalesce(leaf, spelled))).to_series(),
        "category": leaf,
        "subtree": shelf,
        "title": spelled,
        "near query": each_once(frame["query"], sorted_words),
        "near subtree": each_once(shelf, sorted_words),
        "near title": each_once(title, sorted_words),
    }
    return frame.select("id", "task", *(text.alias(key) for key, text in texts.items()))


def _sides(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that judge, and for the `part` of each model those that train it."""
    part, parts = pl.col("part"), rows["part"].unique().sort().to_list()
    judging, trains = rows, ~part.is_in([TUNE, TEST])
    if TRAIN in parts:
        judging, trains = rows.filter(part != TRAIN), part == TRAIN
    training = (rows.filter(trains, part != each).with_columns(part=pl.lit(each)) for each in parts)
    return judging, pl.concat(training)


def _summed_up(known_by: pl.DataFrame, task: str, key: str) -> pl.DataFrame:
    leaking = pl.col("twin").is_not_null()
    first = [pl.col(name).filter(leaking).first() for name in ("id", "twin")]
    return known_by.select(
        task=pl.lit(task), key=pl.lit(key), judge=pl.len(), share=leaking.mean(), example=first[0], known=first[1]
    )
