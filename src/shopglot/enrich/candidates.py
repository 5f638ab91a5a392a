"""Where the targets of made negatives are drawn from: beside a target in the tree, near it by name, or anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.errors import RecipeError
from shopglot.core.scores import Encoder
from shopglot.enrich.negative_settings import NegativeKind, NegativeSettings

Positions = NDArray[np.int64]
NONE: Final = -1

_CELLS: Final = 2**24  # similarities that are in memory at once

_Vectors = Callable[[Sequence[str]], Any]
"""Texts to rows of a dense or sparse matrix, of length 1."""


class Pool(Protocol):
    """The candidates of one kind."""

    def draw(self, beside: Positions, rng: np.random.Generator) -> Positions:
        """Return for each target the position of a candidate drawn at random, `NONE` where there is none."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Shelf:
    """Distinct targets in the order of the tree, where siblings stand together, and so do cousins.

    `frame` has the columns target, path, grandparent and parent; all but the first are null where there is none.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, targets: pl.DataFrame) -> Self:
        """Return the shelf of a table with the columns target and path."""
        names = levels(pl.col("path"))
        depth = names.list.len().cast(pl.Int64)
        above = {
            "grandparent": pl.when(depth > 1).then(names.list.head((depth - 2).clip(0)).list.join(",")),
            "parent": names.list.head(depth - 1).list.join(","),
        }
        distinct = targets.select("target", "path").unique("target", keep="first", maintain_order=True)
        return cls(distinct.with_columns(**above).sort(*above, "path", "target", nulls_last=True))

    @property
    def in_tree(self) -> bool:
        """Whether any target has a category, and with it siblings and cousins."""
        return self.frame["path"].null_count() < self.frame.height

    def positions(self, targets: pl.Series) -> Positions:
        """Return where each of these targets stands; all of them have to stand there."""
        numbered = self.frame.select("target", at=pl.int_range(pl.len()))
        found = targets.to_frame("target").join(numbered, on="target", how="left", maintain_order="left")
        return found["at"].to_numpy()

    def pool(
        self, kind: NegativeKind, beside: Positions, settings: NegativeSettings, encoder: Encoder | None, seed: int
    ) -> Pool:
        """Return the candidates of one kind for the targets that stand at these positions.

        Raises RecipeError for the kind "embedding" without an encoder.
        """
        match kind:
            case "sibling":
                return _Runs(self._run("parent"), self._run("path"))
            case "cousin":
                return _Runs(self._run("grandparent"), self._run("parent"))
            case "random":
                own = self._run("path")
                return _Runs(np.broadcast_to([[0], [self.frame.height]], own.shape), own)
            case "nearest-name":
                return self._nearest(beside, settings, seed, _trigrams)
            case "embedding" if encoder is not None:
                return self._nearest(beside, settings, seed, lambda _: encoder.encode)
        raise RecipeError(f"negatives of the kind {kind!r} need an encoder; give one, or leave that share out")

    def _run(self, column: str) -> Positions:
        """Return where the rows begin and end that share a value, shape (2, rows); a row without one stands alone."""
        at, known = pl.col("at"), pl.col(column).is_not_null()
        first = pl.when(known).then(at.min().over(column)).otherwise(at)
        last = pl.when(known).then(at.max().over(column)).otherwise(at)
        numbered = self.frame.with_columns(at=pl.int_range(pl.len()))
        return numbered.select(start=first, stop=last + 1).to_numpy().T

    def _nearest(
        self, beside: Positions, settings: NegativeSettings, seed: int, fit: Callable[[Sequence[str]], _Vectors]
    ) -> Pool:
        leaf = pl.when(pl.col("path") == pl.col("target")).then(levels(pl.col("path")).list.last())
        name = self.frame.select(pl.coalesce(leaf, "target").str.to_lowercase()).to_series()
        names = name.unique().sort()
        code = name.cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)
        rng = np.random.default_rng(seed)
        among = np.sort(rng.permutation(len(names))[: settings.nearest_among])
        asked = np.unique(code[beside])
        near = np.full((len(names), min(settings.nearest, len(among))), NONE)
        if len(asked):
            near[asked] = _nearest_texts(names, asked, among, near.shape[1], fit)
        order = np.argsort(code, kind="stable")
        return _Nearest(code, near, order, np.searchsorted(code[order], np.arange(len(names) + 1)))


@dataclass(frozen=True, eq=False, slots=True)
class _Runs:
    """Neighbours on the shelf: the rows of a run without those of a shorter run in it, each of shape (2, rows)."""

    whole: Positions
    hole: Positions

    def draw(self, beside: Positions, rng: np.random.Generator) -> Positions:
        (start, stop), (hole, hole_stop) = self.whole[:, beside], self.hole[:, beside]
        missing = hole_stop - hole
        count = stop - start - missing
        drawn = start + (rng.random(len(beside)) * count).astype(np.int64)
        return np.where(count > 0, drawn + missing * (drawn >= hole), NONE)


@dataclass(frozen=True, eq=False, slots=True)
class _Nearest:
    """Targets with a name that is near: per target its name, per name the nearest ones, per name its targets."""

    name: Positions
    near: Positions
    targets: Positions
    starts: Positions

    def draw(self, beside: Positions, rng: np.random.Generator) -> Positions:
        chosen = self.near[self.name[beside], rng.integers(0, self.near.shape[1], len(beside))]
        start, stop = self.starts[chosen], self.starts[chosen + 1]
        drawn = start + (rng.random(len(beside)) * (stop - start)).astype(np.int64)
        return np.where(chosen == NONE, NONE, self.targets[np.minimum(drawn, len(self.targets) - 1)])


def _trigrams(texts: Sequence[str]) -> _Vectors:
    """Return what turns texts into weighted character trigrams, for texts like these (scikit-learn's TF-IDF)."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as missing:
        raise RecipeError("negatives by nearest name need scikit-learn: pip install 'shopglot[train]'") from missing
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), dtype=np.float32)
    vectors: _Vectors = vectorizer.fit(texts).transform
    return vectors


def _nearest_texts(
    names: pl.Series, asked: Positions, among: Positions, count: int, fit: Callable[[Sequence[str]], _Vectors]
) -> Positions:
    """Return for each of `asked` the nearest of `among`, never itself, shape (asked, count); `NONE` is unlike."""
    known = names.gather(among).to_list()
    vectors = fit(known)
    there, here = vectors(known), vectors(names.gather(asked).to_list())
    found = np.full((len(asked), count), NONE)
    at_once = max(1, _CELLS // len(among))
    for start in range(0, len(asked), at_once):
        rows = slice(start, start + at_once)
        likeness = here[rows] @ there.T
        likeness = likeness.toarray() if hasattr(likeness, "toarray") else likeness
        likeness[asked[rows][:, None] == among] = NONE
        best = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        found[rows] = np.where(np.take_along_axis(likeness, best, axis=1) > 0, among[best], NONE)
    return found
