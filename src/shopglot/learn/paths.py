"""Category paths with all that can be known of them before a query is asked, computed once for each path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.jaccard import ngrams, words
from shopglot.core.scores import Encoder
from shopglot.learn.catalogue import ABSENT, Catalogue, Relatives
from shopglot.learn.lists import Lists

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

VIEWS: Final = ("leaf", "parent", "both", "whole")
_KEPT: Final = 100_000
_FEW: Final = 8
"""Targets are few where there are so many times as many paths."""
_ODD: Final = np.int64(0x2545F4914F6CDD1D)
_DOTS_AT_ONCE: Final = 256
"""So few that the vectors which are gathered stay in the processor's cache."""


@dataclass(frozen=True, eq=False, slots=True)
class Letters:
    """What texts are made of: how long each is on the scale of logarithms, and hashes of 64 bits.

    Those are of the whole text, by which equal ones are known, of its distinct character trigrams, and of its words.
    """

    whole: Rows
    length: Floats
    grams: Lists
    words: Lists

    @classmethod
    def of(cls, texts: pl.Series) -> "Letters":
        """Return what is known of these texts, found at once, for a small request waits longest for each step."""
        text = pl.col("text")
        found = (
            texts.alias("text")
            .to_frame()
            .select(
                _hash(text).alias("whole"),
                text.str.len_chars().log1p().cast(pl.Float32).alias("length"),
                ngrams(text, size=3).list.eval(_hash(pl.element())).alias("grams"),
                words(text).list.eval(_hash(pl.element())).alias("words"),
            )
        )
        whole, length = found["whole"].to_numpy(), found["length"].to_numpy()
        return cls(whole, length, Lists.of(found["grams"]), Lists.of(found["words"]))


@dataclass(frozen=True, eq=False, slots=True)
class Names:
    """One name of each path, its leaf or its parent, for the letters that queries share with it."""

    letters: Letters
    gram_keys: Rows
    word_keys: Rows

    @classmethod
    def of(cls, texts: pl.Series) -> "Names":
        """Return what is known of these texts; one that is absent is empty."""
        letters = Letters.of(texts.fill_null(""))
        return cls(letters, sorted_keys(letters.grams), sorted_keys(letters.words))


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """Distinct category paths by number.

    `views` of shape (paths, 4) are the numbers of the vectors of leaf, parent, both and whole path, `above` those of
    the levels above the parent, and `within` is the cosine of leaf and parent.
    """

    numbers: dict[str, int]
    vectors: Floats
    views: Rows
    has_parent: Mask
    above: Lists
    within: Floats
    depth: Floats
    leaf: Names
    parent: Names
    around: Relatives

    @classmethod
    def of(cls, paths: Sequence[str], encoder: Encoder, catalogue: Catalogue) -> "Paths":
        """Return what is known of these distinct paths, which need not be in the catalogue."""
        targets = pl.Series("target", list(paths), dtype=pl.String)
        texts = _views(targets)
        named = pl.concat([*(texts[name] for name in VIEWS), texts["above"].explode()]).drop_nulls()
        distinct = named.unique(maintain_order=True).alias("text")
        number = {text: n for n, text in enumerate(distinct.to_list())}
        vectors = encoder.encode(list(number))
        numbered = texts.select(
            pl.col(*VIEWS).replace_strict(number, default=0, return_dtype=pl.Int64),
            above=pl.col("above").list.eval(pl.element().replace_strict(number, return_dtype=pl.Int64)),
        )
        views = numbered.select(VIEWS).to_numpy().astype(np.int64)
        has_parent = texts["parent"].is_not_null().to_numpy()
        within = np.where(has_parent, dots(vectors, views[:, 0], vectors, views[:, 1]), np.float32(ABSENT))
        return cls(
            numbers={path: n for n, path in enumerate(paths)},
            vectors=vectors,
            views=views,
            has_parent=has_parent,
            above=Lists.of(numbered["above"]),
            within=within,
            depth=texts["depth"].to_numpy().astype(np.float32),
            leaf=Names.of(texts["leaf"]),
            parent=Names.of(texts["parent"]),
            around=catalogue.relatives(targets),
        )


class RememberedPaths:
    """Paths of one catalogue, each computed once, as long as there are no more than `_KEPT`."""

    def __init__(self, encoder: Encoder, catalogue: Catalogue) -> None:
        """Begin with none."""
        self._encoder, self._catalogue = encoder, catalogue
        self._paths: Paths | None = None

    def of(self, targets: Sequence[str]) -> tuple[Paths, Rows]:
        """Return paths with the number of each of `targets`, which are distinct, among them.

        A few targets among which one is new are computed for themselves: to join them to many takes too long for who
        waits for an answer.
        """
        paths = self._paths
        new = [path for path in targets if paths is None or path not in paths.numbers]
        if paths is None or new:
            known = [] if paths is None else list(paths.numbers)
            joined = len(targets) * _FEW >= len(known) and len(known) + len(new) <= _KEPT
            paths = Paths.of([*known, *new] if joined else targets, self._encoder, self._catalogue)
            if joined:
                self._paths = paths
        return paths, np.array([paths.numbers[path] for path in targets], dtype=np.int64)


def dots(ones: Floats, one: Rows, others: Floats, other: Rows) -> Floats:
    """Return the scalar product of a row of `ones` and a row of `others` for each pair of their numbers."""
    found = np.empty(len(one), dtype=np.float32)
    for start in range(0, len(one), _DOTS_AT_ONCE):
        part = slice(start, start + _DOTS_AT_ONCE)
        np.einsum("ij,ij->i", ones[one[part]], others[other[part]], out=found[part])
    return found


def sorted_keys(members: Lists) -> Rows:
    """Return a number for each text and member of it, in order, so that a pair of both can be looked up."""
    return np.sort(_keys(members.values, members.owners()))


def shared(members: Lists, keys: Rows, path: Rows) -> Rows:
    """Return how many of each row's members its path has too, by the path's sorted keys."""
    if not len(keys):
        return np.zeros(len(path), dtype=np.int64)
    owners = members.owners()
    wanted = _keys(members.values, path[owners])
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.bincount(owners, weights=keys[place] == wanted, minlength=len(path)).astype(np.int64)


def _keys(members: Rows, owners: Rows) -> Rows:
    with np.errstate(over="ignore"):
        return members ^ ((owners + 1) * _ODD)


def _hash(text: pl.Expr) -> pl.Expr:
    return text.hash().reinterpret(signed=True)


def _views(targets: pl.Series) -> pl.DataFrame:
    names = levels(pl.col("target"))
    reverse = names.list.reverse()
    return targets.to_frame("target").select(
        leaf=names.list.last(),
        parent=reverse.list.get(1, null_on_oob=True),
        both=reverse.list.head(2).list.join(", "),
        whole=reverse.list.join(", "),
        above=reverse.list.slice(2),
        depth=names.list.len(),
    )
