"""Groups are dealt by a seeded hash within strata; then a few move, until the parts are alike."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from shopglot.fold.hashing import unit_hash
from shopglot.fold.moves import Floats, Ints, moved

Facets = Sequence[tuple[str, ...]]

_UNLABELLED: Final[Facets] = (("task",), ("task", "lang"), ("task", "main"))
_LABELLED: Final[Facets] = (*_UNLABELLED, ("task", "label"), ("task", "lang", "label"), ("task", "main", "label"))
_TOTALS: Final[Facets] = (("task",), ("task", "label"), ("task", "lang"))
_COMMON: Final = 128  # kinds of a facet; what is rarer is evened out together
_LOWER_BITS: Final = 2.0**26
_LARGEST, _OTHERS = 1000, 2000  # groups that may move: large ones unbalance the parts, small ones even them out


def balanced_parts(rows: pl.DataFrame, shares: Mapping[str, float], seed: int) -> pl.DataFrame:
    """Deal the groups that have no part yet, and return their `group` and `part`.

    `rows` has one row per pair: its `group`, the `part` of the group or null, and as small numbers from zero the
    facts `task`, `label`, `lang` (language) and `main` category.
    """
    names, share = list(shares), np.array(list(shares.values()))
    groups = _dealt_by_hash(rows.filter(pl.col("part").is_null()), share, seed)
    group = _numbers(rows.join(groups.with_row_index(), on="group", how="left", maintain_order="left")["index"])
    fixed = _numbers(rows["part"].cast(pl.Enum(names)).to_physical())
    part, movable = groups["place"].to_numpy().copy(), min(groups.height, _LARGEST + _OTHERS)
    own = (group >= 0) & (group < movable)
    for facets in (_UNLABELLED, _LABELLED, _TOTALS):
        kinds, width = _kinds(rows, facets)
        held = _counts(np.where(group < 0, fixed, part[group]), kinds, (len(names), width))
        counts = _counts(group[own], [kind[own] for kind in kinds], (movable, width))
        surplus = held - np.rint(np.outer(share, held.sum(axis=0)))
        part[:movable] = moved(part[:movable], counts, surplus, share)
    return groups.select("group", part=pl.Series(names, dtype=pl.String).gather(part))


def _dealt_by_hash(rows: pl.DataFrame, share: Floats, seed: int) -> pl.DataFrame:
    """Return each `group` and its `place` among the parts: its hash, as a quantile of its stratum.

    The stratum is the commonest task, language and main category of the group. The large groups come first.
    """
    stratum, strata = _code(rows, ("task", "lang", "main"))
    commonest = (pl.col("rows") * strata + pl.col("stratum")).max() % strata
    groups = (
        rows.select("group", stratum=stratum)
        .group_by("group", "stratum")
        .agg(rows=pl.len().cast(pl.Int64))
        .group_by("group")
        .agg(commonest.alias("stratum"), pl.col("rows").sum())
    )
    hashed = groups.with_columns(hash=unit_hash(groups["group"].cast(pl.String), seed))
    ordered = hashed.with_columns(offset=pl.col("hash") * _LOWER_BITS % 1).sort("stratum", "hash", "group")
    # A group lies anywhere in its own stretch of rows: a stratum of one group would else always fill the middle part.
    quantile = (pl.col("rows").cum_sum() - pl.col("rows") * pl.col("offset")) / pl.col("rows").sum()
    quantiles = ordered.select(quantile.over("stratum")).to_series().to_numpy()
    dealt = ordered.with_columns(place=np.searchsorted(np.cumsum(share)[:-1], quantiles, side="right"))
    by_size = dealt.sort("rows", "offset", "group", descending=[True, False, False])
    return pl.concat([by_size.head(_LARGEST), by_size.slice(_LARGEST).sort("offset", "group")]).select("group", "place")


def _kinds(rows: pl.DataFrame, facets: Facets) -> tuple[list[Ints], int]:
    """Return the kind of each row for each facet, numbered through over all facets, and the number of kinds."""
    kinds, width = [], 0
    for facet in facets:
        code, count = _code(rows, facet)
        rank = np.empty(count, dtype=np.int64)
        rank[np.argsort(-np.bincount(code, minlength=count), kind="stable")] = np.arange(count)
        kinds.append(width + np.minimum(rank, _COMMON)[code])
        width += min(count, _COMMON + 1)
    return kinds, width


def _code(rows: pl.DataFrame, facts: tuple[str, ...]) -> tuple[Ints, int]:
    """Return one number per combination of facts, and how many such numbers there may be."""
    code, count = np.zeros(rows.height, dtype=np.int64), 1
    for fact in facts:
        numbers = rows[fact].to_numpy()
        values = int(numbers.max()) + 1
        code, count = code * values + numbers, count * values
    return code, count


def _counts(owner: Ints, kinds: Sequence[Ints], shape: tuple[int, int]) -> Floats:
    """Return how many rows of each kind each owner has, shape (owners, kinds)."""
    owners, width = shape
    flat = sum(np.bincount(owner * width + kind, minlength=owners * width) for kind in kinds)
    return np.asarray(flat, dtype=np.float64).reshape(shape)


def _numbers(column: pl.Series) -> Ints:
    """Return the numbers of a column, -1 where it is null."""
    return column.cast(pl.Int64).fill_null(-1).to_numpy()
