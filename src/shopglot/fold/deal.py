"""Groups are dealt into folds, a tune part and a test part."""

from typing import Final

import polars as pl

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pairs import Pairs
from shopglot.fold.balance import balanced_parts
from shopglot.fold.group import KEYS, group_pairs, subtree
from shopglot.fold.hashing import unit_hash
from shopglot.fold.settings import FoldSettings
from shopglot.fold.spelling import each_once

_LARGEST_GROUP: Final = 0.5
_REMEDY: Final = {
    "query": "look for an english or concept that many unlike queries share, and empty it",
    "category": "raise category_levels",
}


def deal(pairs: Pairs, settings: FoldSettings, seed: int, kept: Folds | None = None) -> Folds:
    """Return the folds of `pairs`, stratified by language, label and main category.

    Each group first goes where its seeded hash falls among the groups of its language and main category, which no
    label changes; then the few groups move that give all parts their shares of rows, languages, categories and, at
    last, labels. So new labels leave nearly every group where it was; with the `kept` folds of an earlier deal they
    and new pairs leave every group there, except for groups that a new pair joins.

    A query goes to the part of most of its pairs by category or language where its task is dealt by those too, ties
    by hash. Made pairs have no say. Raises DataError where groups are too few or one is too large, where a task has
    labels of one class only, and where nothing would judge a part.
    """
    if kept is not None and kept.count != settings.folds:
        raise RecipeError(
            f"the kept folds are {kept.count} and the settings ask for {settings.folds}; set folds to match"
        )
    _check_labels(pairs.frame)
    shares = _shares(settings)
    groups = group_pairs(pairs, settings)
    rows = pl.concat([_facts(pairs), groups.drop("id")], how="horizontal").filter(pairs["made_from"].is_null())
    parts: dict[str, pl.DataFrame] = {}
    for key in KEYS:
        keyed = rows.drop_nulls(key).rename({key: "group"})
        if key == "language":
            keyed = keyed.with_columns(lang=pl.lit(0))  # what lies in one part cannot be shared out among all
        if keyed.height:
            _check_groups(keyed["group"], key, len(shares))
            parts[key] = _parts_of(keyed, _kept_parts(kept, key), shares, seed)
            placed = parts[key].select(pl.col("group").alias(key), pl.col("part").alias(f"{key} part"))
            joined = rows.join(placed, on=key, how="left", maintain_order="left")
            rows = joined.with_columns(part=pl.coalesce("part", f"{key} part"))
    _check_judged(rows.select(pl.col("^.* part$")), list(shares))
    return Folds(settings.folds, groups, parts)


def _shares(settings: FoldSettings) -> dict[str, float]:
    """Return each part's share of the rows; parts of no share are left out."""
    fold = (1 - settings.tune - settings.test) / settings.folds
    shares = {str(number): fold for number in range(settings.folds)} | {TUNE: settings.tune, TEST: settings.test}
    return {part: share for part, share in shares.items() if share}


def _facts(pairs: Pairs) -> pl.DataFrame:
    """Return what the parts shall share of each pair, as small numbers, and an empty `part`."""
    path = pairs.frame.select(pl.when(pl.col("task") == "QC").then("target")).to_series()
    main = each_once(path, lambda path: subtree(path, 1))
    return pairs.frame.select(
        "id",
        pl.col("task").to_physical(),
        (pl.col("label") == 1).cast(pl.Int64).fill_null(2).alias("label"),
        _numbered(pairs["language"]).alias("lang"),
        _numbered(main).alias("main"),
        part=pl.lit(None, dtype=pl.String),
    )


def _numbered(column: pl.Series) -> pl.Series:
    """Return the rank of each value among the distinct ones; missing values come last."""
    values = column.drop_nulls().unique().sort()
    return column.cast(pl.Enum(values)).to_physical().cast(pl.Int64).fill_null(len(values))


def _kept_parts(kept: Folds | None, key: str) -> pl.DataFrame:
    """Return `id` and `part` of the pairs that an earlier deal gave a part by this key."""
    if kept is None or key not in kept.parts:
        return pl.DataFrame(schema={"id": pl.String, "part": pl.String})
    return kept.groups.select("id", group=key).join(kept.parts[key], on="group").select("id", "part")


def _parts_of(rows: pl.DataFrame, kept: pl.DataFrame, shares: dict[str, float], seed: int) -> pl.DataFrame:
    """Return `group` and `part` of one key: as it was kept, else as most rows of the group lie, else as dealt."""
    by_kept = _most(rows.select("id", "group").join(kept, on="id"), seed)
    by_rows = _most(rows, seed).join(by_kept, on="group", how="anti")
    settled = pl.concat([by_kept, by_rows])
    open_rows = rows.drop("part").join(settled, on="group", how="left", maintain_order="left")
    if open_rows["part"].null_count():
        evened = open_rows.filter(pl.col("part").is_in([*shares, None], nulls_equal=True))
        settled = pl.concat([settled, balanced_parts(evened, shares, seed)])
    return settled.sort("group")


def _most(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return each `group` with the `part` of most of its rows; groups whose rows have none are left out."""
    tally = rows.select("group", "part").drop_nulls().group_by("group", "part").len()
    tie = unit_hash(tally.select(pl.concat_str("group", "part", separator="\n")).to_series(), seed)
    ranked = tally.with_columns(tie=tie).sort("len", "tie", "part", descending=[True, False, False])
    return ranked.unique("group", keep="first", maintain_order=True).select("group", "part")


def _check_labels(frame: pl.DataFrame) -> None:
    """Refuse a task of which all labels are the same."""
    classes = (
        frame.drop_nulls("label").group_by("task").agg(pl.col("label").n_unique().alias("classes"), pl.first("label"))
    )
    for task, _, label in classes.filter(pl.col("classes") == 1).select("task", "classes", "label").iter_rows():
        raise DataError(
            f"every label of task {task} is {label}, so nothing can be learned; label pairs of the other class"
        )


def _check_groups(groups: pl.Series, key: str, parts: int) -> None:
    """Refuse groups that cannot be dealt: fewer than parts, or one that is half of all."""
    sizes = groups.value_counts(sort=True, name="rows")
    if sizes.height < parts:
        raise DataError(f"{sizes.height} {key} groups cannot fill {parts} parts; ask for fewer folds, or set test to 0")
    largest = int(sizes["rows"][0])
    if key in _REMEDY and largest > _LARGEST_GROUP * len(groups):
        raise DataError(f"one {key} group holds {largest} of {len(groups)} pairs; {_REMEDY[key]}")


def _check_judged(parts_of_rows: pl.DataFrame, names: list[str]) -> None:
    """Refuse folds of which one is judged by no pair."""
    judged = parts_of_rows.filter(pl.min_horizontal(pl.all()) == pl.max_horizontal(pl.all()))
    present = set(judged.select(pl.min_horizontal(pl.all())).to_series().unique())
    empty = [name for name in names if name not in present]
    if empty:
        raise DataError(
            f"no pair judges the part {empty[0]!r}; ask for fewer folds, a smaller tune or test, or more pairs"
        )
