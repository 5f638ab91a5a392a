"""Folds as maps from group to part; a row has no fold of its own, so a leak cannot be written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs

TUNE: Final = "tune"
TEST: Final = "test"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Folds:
    """Parts per group, for each key that pairs are grouped by.

    `count` folds are named "0", "1", …; the parts `TUNE` and `TEST` train no fold.
    `groups` has one row per pair: `id` and one column per key with the pair's group, null where the key does not
    apply. `parts` maps each key to a table with the columns `group` and `part`.

    A pair judges a part when all its keys lie in it, and trains for a fold when none of its keys lies in that
    fold, in `TUNE` or in `TEST`. A made pair judges nothing; it trains where the pair it was made from trains,
    as far as its own keys, where it has any, allow.
    """

    count: int
    groups: pl.DataFrame
    parts: Mapping[str, pl.DataFrame]
    _part_of: pl.DataFrame = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse pairs that share an id and groups without exactly one part; look up the parts of each pair once."""
        if self.groups["id"].n_unique() != self.groups.height:
            raise DataError(
                "two pairs share an id, so their folds are not certain; give every pair its own id, over both tasks"
            )
        columns = [self.groups["id"]]
        for key, table in self.parts.items():
            column = self.groups.select(group=key).join(table, on="group", how="left", maintain_order="left")["part"]
            if len(column) != self.groups.height or column.null_count() != self.groups[key].null_count():
                raise DataError(
                    f"a group of the key {key!r} has no part or two, so its folds leak; deal the pairs again"
                )
            columns.append(column.alias(key))
        object.__setattr__(self, "_part_of", pl.DataFrame(columns))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the folds, without the tune and test parts."""
        return tuple(str(fold) for fold in range(self.count))

    def judges(self, pairs: Pairs, part: str) -> Mask:
        """Return which of `pairs` judge `part`, a fold or `TUNE` or `TEST`; raises DataError for unknown pairs."""
        inside = pl.all_horizontal((pl.col(key) == part) | pl.col(key).is_null() for key in self.parts)
        original = pairs["made_from"].is_null().to_numpy()
        return np.asarray(self._sources_of(pairs).select(inside & self._keyed).to_series().to_numpy() & original)

    def trains(self, pairs: Pairs, fold: str | None) -> Mask:
        """Return which of `pairs` may train the model that `fold` judges; for None, the model refitted on all folds.

        Raises DataError for pairs that neither were dealt nor made from one that was.
        """
        held_out = [TUNE, TEST] + ([] if fold is None else [fold])
        outside = pl.all_horizontal(~pl.col(key).is_in(held_out).fill_null(value=False) for key in self.parts)
        source = self._sources_of(pairs).select(outside & self._keyed).to_series().to_numpy()
        own = self._lookup(pairs["id"]).select(outside).to_series().to_numpy()
        return np.asarray(source & own)

    @property
    def _keyed(self) -> pl.Expr:
        return pl.any_horizontal(pl.col(key).is_not_null() for key in self.parts)

    def _sources_of(self, pairs: Pairs) -> pl.DataFrame:
        """Return the parts of the pairs themselves, and for made pairs those of the pair they were made from."""
        ids = pairs.frame.select(id=pl.coalesce("made_from", "id"))["id"]
        unknown = ids.filter(~ids.is_in(self.groups["id"].implode()))
        if unknown.len():
            raise DataError(
                f"{unknown.len()} pairs, the first of them {unknown[0]!r}, were never dealt into folds; deal all pairs "
                "together, and let made_from name a pair that was dealt"
            )
        return self._lookup(ids)

    def _lookup(self, ids: pl.Series) -> pl.DataFrame:
        return ids.to_frame().join(self._part_of, on="id", how="left", maintain_order="left")
