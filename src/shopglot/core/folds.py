"""Folds as maps from group to part; a row has no fold of its own, so a leak cannot be written down."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    fold, in `TUNE` or in `TEST`. A made pair follows the pair it was made from, and judges nothing.
    """

    count: int
    groups: pl.DataFrame
    parts: Mapping[str, pl.DataFrame]

    def __post_init__(self) -> None:
        """Refuse pairs that share an id."""
        if self.groups["id"].n_unique() != self.groups.height:
            raise DataError("two pairs share an id, so their folds are not certain; give every pair its own id")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the folds, without the tune and test parts."""
        return tuple(str(fold) for fold in range(self.count))

    def judges(self, pairs: Pairs, part: str) -> Mask:
        """Return which of `pairs` judge `part`, a fold or `TUNE` or `TEST`."""
        own = self._parts_of(pairs)
        inside = pl.all_horizontal((pl.col(key) == part) | pl.col(key).is_null() for key in self.parts)
        keyed = pl.any_horizontal(pl.col(key).is_not_null() for key in self.parts)
        made = pairs["made_from"].is_not_null().to_numpy()
        return own.select(inside & keyed).to_series().to_numpy() & ~made

    def trains(self, pairs: Pairs, fold: str | None) -> Mask:
        """Return which of `pairs` may train the model that `fold` judges; for None, the model refitted on all folds."""
        held_out = [TUNE, TEST] + ([] if fold is None else [fold])
        own = self._parts_of(pairs)
        outside = pl.all_horizontal(~pl.col(key).is_in(held_out).fill_null(value=False) for key in self.parts)
        keyed = pl.any_horizontal(pl.col(key).is_not_null() for key in self.parts)
        return own.select(outside & keyed).to_series().to_numpy()

    def _parts_of(self, pairs: Pairs) -> pl.DataFrame:
        source = pairs.frame.select(id=pl.coalesce("made_from", "id"))
        own = source.join(self.groups, on="id", how="left", maintain_order="left")
        for key, table in self.parts.items():
            part_of = table.select(pl.col("group").alias(key), pl.col("part").alias(f"{key} part"))
            own = own.join(part_of, on=key, how="left", maintain_order="left")
        return own.select(pl.col(f"{key} part").alias(key) for key in self.parts)
