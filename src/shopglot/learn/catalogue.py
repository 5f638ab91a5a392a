"""The shop's category tree as a frame of reference: a target is judged beside its siblings and all other categories."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.scores import Encoder
from shopglot.learn.highest import highest
from shopglot.learn.lists import Lists, Rows

Floats = NDArray[np.float32]

NEAREST: Final = 32
"""How many of the names nearest to a query are looked at one by one."""
TEMPERATURE: Final = 0.03
_AT_ONCE: Final = 512
ABSENT: Final = -1.0
"""The cosine with something that is not there, such as the siblings of an only child."""


@dataclass(frozen=True, eq=False, slots=True)
class Catalogue:
    """The nodes of a category tree, with the vector of each distinct name."""

    nodes: pl.DataFrame
    names: tuple[str, ...]
    vectors: Floats

    @classmethod
    def of(cls, paths: Iterable[str], encoder: Encoder) -> "Catalogue":
        """Return the catalogue of `paths` and their ancestors."""
        nodes = _with_ancestors(pl.Series("path", sorted(set(paths)), dtype=pl.String))
        names = nodes["name"].unique().sort()
        numbered = nodes.join(names.to_frame().with_row_index("number"), on="name", how="left", maintain_order="left")
        listed = tuple(names.to_list())
        return cls(numbered, listed, encoder.encode(listed) if listed else np.zeros((0, 1), np.float32))

    def relatives(self, targets: pl.Series) -> "Relatives":
        """Return the names that stand around each of `targets`, distinct paths that need not be nodes."""
        here = _split(targets.alias("path"))
        known = self.nodes.select("number", child="path", name="name", under="parent")
        siblings = here.join(known, left_on="parent", right_on="under").filter(
            (pl.col("child") != pl.col("path")) & (pl.col("name_right") != pl.col("name"))
        )
        children = here.join(known, left_on="path", right_on="under")
        uncles = here.join(known, left_on="grandparent", right_on="under").filter(pl.col("child") != pl.col("parent"))
        named = self.nodes.select("number", "name").unique("name")
        own = here.select("path", pl.col("levels").alias("name")).explode("name").join(named, on="name")
        return Relatives(*(_grouped(targets, found) for found in (siblings, children, uncles, own)))


@dataclass(frozen=True, eq=False, slots=True)
class Relatives:
    """Numbers of names around each path: its siblings, children and parent's siblings, and its own levels."""

    siblings: Lists
    children: Lists
    uncles: Lists
    own: Lists


@dataclass(frozen=True, eq=False, slots=True)
class Near:
    """What a query is close to in the whole catalogue, per distinct query."""

    cosines: Floats
    nearest: Rows
    top: Floats
    mass: NDArray[np.float64]

    @classmethod
    def of(cls, queries: Floats, catalogue: Catalogue) -> "Near":
        """Return all cosines, the nearest names in order with theirs, and the sum of softmax terms, for unit vectors.

        An empty catalogue looks as if it had one name that nothing is close to.
        """
        absent = np.full((len(queries), 1), ABSENT, dtype=np.float32)
        cosines = queries @ catalogue.vectors.T if catalogue.names else absent
        terms = cosines - np.float32(1)
        terms /= np.float32(TEMPERATURE)
        mass = np.exp(terms, out=terms).sum(axis=1, dtype=np.float64)
        nearest = highest(cosines, min(NEAREST, cosines.shape[1]))
        return cls(cosines, nearest, np.take_along_axis(cosines, nearest, axis=1), mass)


FEATURES: Final = (
    "best sibling", "leaf over siblings", "siblings above leaf", "siblings", "best child", "leaf over children",
    "best uncle", "parent over uncles", "nearest other", "leaf over nearest", "nearest over fifth",
    "nearest over twentieth", "others above leaf", "parent over nearest", "others above parent", "leaf share",
    "parent share", "nearest is sibling",
)  # fmt: skip


def catalogue_features(
    catalogue: Catalogue, queries: Floats, query: Rows, around: Relatives, path: Rows, cosines: Floats
) -> Floats:
    """Return where each target stands among the catalogue's names, shape (rows, len(FEATURES)).

    `queries` are the unit vectors of the distinct queries; `query` and `path` say which query and which path each row
    has; `cosines` of shape (rows, 2) are those of the query with the target's last two levels.
    """
    features = np.empty((len(query), len(FEATURES)), dtype=np.float32)
    order = np.argsort(query, kind="stable")
    for first in range(0, len(queries), _AT_ONCE):
        start, end = np.searchsorted(query[order], [first, first + _AT_ONCE])
        rows = order[start:end]
        near = Near.of(queries[first : first + _AT_ONCE], catalogue)
        features[rows] = _standing(near, query[rows] - first, around, path[rows], cosines[rows].T)
    return features


def _standing(near: Near, query: Rows, around: Relatives, path: Rows, cosines: Floats) -> Floats:
    leaf, parent = cosines
    siblings, children, uncles, own = (
        lists.take(path) for lists in (around.siblings, around.children, around.uncles, around.own)
    )
    best_sibling, above = _best_and_above(near, query, siblings, leaf)
    best_child, _ = _best_and_above(near, query, children, leaf)
    best_uncle, _ = _best_and_above(near, query, uncles, parent)
    others = _others(near, query, own)
    top, fifth, twentieth = (others[:, min(rank, others.shape[1] - 1)] for rank in (0, 4, 19))
    rest = near.mass[query] - _sums(own, np.exp((near.cosines[query[own.owners()], own.values] - 1) / TEMPERATURE))
    leaf_term, parent_term = (np.exp((cosine - 1) / TEMPERATURE) for cosine in (leaf, parent))
    whole = np.maximum(rest, 0) + leaf_term + parent_term
    columns = (
        best_sibling,
        np.where(siblings.lengths > 0, leaf - best_sibling, 1.0),
        above,
        siblings.lengths,
        best_child,
        np.where(children.lengths > 0, leaf - best_child, 1.0),
        best_uncle,
        np.where(uncles.lengths > 0, parent - best_uncle, 1.0),
        top,
        leaf - top,
        top - fifth,
        top - twentieth,
        np.log1p((others > leaf[:, None]).sum(axis=1)),
        parent - top,
        np.log1p((others > parent[:, None]).sum(axis=1)),
        leaf_term / whole,
        parent_term / whole,
        (siblings.lengths > 0) & (best_sibling >= top - 1e-6),
    )
    return np.column_stack(columns).astype(np.float32)


def _with_ancestors(paths: pl.Series) -> pl.DataFrame:
    names = _split(paths).select("levels", depth=pl.int_ranges(1, pl.col("levels").list.len() + 1)).explode("depth")
    prefixes = names.select(path=pl.col("levels").list.head("depth").list.join(",")).to_series().unique().sort()
    return _split(prefixes).select("path", "parent", "name")


def _split(paths: pl.Series) -> pl.DataFrame:
    """Return path, parent, grandparent, name and levels; the parent of a top level is the empty path."""
    split = paths.to_frame("path").with_columns(levels=levels(pl.col("path")))
    depth = pl.col("levels").list.len()
    return split.with_columns(
        parent=pl.col("levels").list.head(depth - 1).list.join(","),
        grandparent=pl.when(depth > 1).then(
            pl.col("levels").list.head((depth.cast(pl.Int64) - 2).clip(0)).list.join(",")
        ),
        name=pl.col("levels").list.last(),
    )


def _grouped(targets: pl.Series, found: pl.DataFrame) -> Lists:
    numbers = found.group_by("path").agg(pl.col("number").unique().sort())
    return Lists.of(targets.to_frame("path").join(numbers, on="path", how="left", maintain_order="left")["number"])


def _best_and_above(near: Near, query: Rows, lists: Lists, than: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """Return the highest cosine in each row's list, and how many are above the row's own; `ABSENT` and 0 if empty."""
    owners = lists.owners()
    cosines = near.cosines[query[owners], lists.values]
    best = np.full(len(lists.lengths), ABSENT, dtype=np.float32)
    filled = lists.lengths > 0
    if filled.any():
        best[filled] = np.maximum.reduceat(cosines, lists.starts[filled])
    return best, _sums(lists, (cosines > than[owners]).astype(np.float32))


def _sums(lists: Lists, values: Floats) -> NDArray[np.float64]:
    """Return the sum of each row's values; in float64, for what is left of the whole may be a millionth of it."""
    sums = np.bincount(lists.owners(), weights=values, minlength=len(lists.lengths))
    return np.asarray(sums, dtype=np.float64)


def _others(near: Near, query: Rows, own: Lists) -> Floats:
    """Return the cosines of the nearest names that are no level of the row's own path, highest first."""
    nearest = near.nearest[query]
    cosines = near.top[query]
    for position in range(int(own.lengths.max(initial=0))):
        has = own.lengths > position
        number = np.where(has, own.values[np.minimum(own.starts + position, len(own.values) - 1)], -1)
        cosines[nearest == number[:, None]] = ABSENT
    return -np.sort(-cosines, axis=1)
