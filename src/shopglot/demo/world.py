"""The lexicon as arrays, so that a chunk of queries and items is drawn and worded without a loop over rows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import CategoryPath
from shopglot.demo.lexicon import KINDS, LANGUAGES, AttributeValue, Lexicon, ProductType

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
A = TypeVar("A")
B = TypeVar("B")

MAX_DEPTH: Final = 5
DEVICE_NUMBERS: Final = range(10, 18)
MEASURE: Final = r"|\d+(\.\d+)?[ -]?(mm|cm|m|ml|l|oz|inch|litre|pc|pcs|pack|piece)\b"
WITHHELD: Final = 0.22
"""The share of types that train does not show, at least."""


@dataclass(frozen=True, eq=False, slots=True)
class Words:
    """Alternatives per cell of a grid of things and languages, drawn by number.

    `pool` holds all texts; cell (i, j) owns `count[i, j]` of them from `start[i, j]` on.
    """

    pool: pl.Series
    start: Ints
    count: Ints

    @classmethod
    def of(cls, cells: Sequence[Sequence[Sequence[str]]]) -> Self:
        """Return the words of a grid given as rows of cells."""
        count = np.array([[len(cell) for cell in row] for row in cells], dtype=np.int64)
        start = (np.cumsum(count) - count.ravel()).reshape(count.shape)
        return cls(pl.Series([word for row in cells for cell in row for word in cell], dtype=pl.String), start, count)

    def place(self, thing: Ints, column: Ints | int, draw: Ints) -> Ints:
        """Return where in the pool the drawn alternatives stand; -1 where `thing` is -1."""
        return np.where(thing < 0, -1, self.start[thing, column] + draw % self.count[thing, column])

    def __call__(self, thing: Ints, column: Ints | int, draw: Ints) -> pl.Series:
        """Return the drawn alternatives; null where `thing` is -1."""
        place = self.place(thing, column, draw)
        return self.pool.gather(pl.Series(place).replace(-1, None))


@dataclass(frozen=True, eq=False, slots=True)
class Relatives:
    """For each type the types that stand in some relation to it, drawn by number."""

    table: Ints
    count: Ints

    @classmethod
    def of(cls, related: Bools) -> Self:
        """Return the relation given as a square of truth values."""
        count = related.sum(axis=1)
        table = np.argsort(~related, axis=1, kind="stable")[:, : max(int(count.max()), 1)]
        return cls(table, count)

    def draw(self, rng: np.random.Generator, of: Ints) -> Ints:
        """Return one relative of each; only to be asked where `count` is not zero."""
        return self.table[of, rng.integers(0, np.maximum(self.count[of], 1))]


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """Everything that a seed fixes before the first row is drawn.

    `seen` marks the types that train shows. `states[type, kind]` says which attributes a shopper states,
    `suits[type, value]` which values make sense, `wrong[value, other]` which other values do not fit one.
    `nodes[type, depth - 1]` is the category path cut to that depth, `shared[type, other]` the depth of what two
    paths share. `gold` are the English nouns of good translations, `spelling` is equal for phrases that look alike,
    `catalogue` holds level names that say more about a type, and `mentions[title, kind]` says whether a
    seller's phrase names an attribute of its own.
    """

    lexicon: Lexicon
    seen: Bools
    depth: Ints
    nodes: Words
    shared: Ints
    accessory: Bools
    states: Bools
    kind_of: Ints
    suits: Bools
    wrong: Bools
    phrases: Words
    spelling: Ints
    gold: Words
    mistranslations: Words
    titles: Words
    mentions: Bools
    catalogue: Words
    value_names: tuple[str, ...]
    value_words: Words
    value_titles: Words
    extras: Words

    @classmethod
    def of(cls, lexicon: Lexicon, seed: int) -> Self:
        """Return the arrays of `lexicon`; the seed chooses the branches that train does not show."""
        types, values = lexicon.types, (*lexicon.values, *_devices(lexicon.sellers["device"]))
        phrases = Words.of([[kind.phrases[language] for language in LANGUAGES] for kind in types])
        return cls(
            lexicon=lexicon,
            seen=~_withheld(types, np.random.default_rng([seed, 0])),
            depth=np.array([len(kind.path.levels) for kind in types]),
            nodes=Words.of([[[str(kind.path.prefix(depth))] for depth in range(1, MAX_DEPTH + 1)] for kind in types]),
            shared=_grid(types, types, lambda one, other: _common_depth(one.path, other.path)),
            accessory=_grid(types, types, _belong).astype(bool),
            states=_grid(types, KINDS, lambda kind, attribute: attribute in kind.attributes).astype(bool),
            kind_of=np.array([KINDS.index(value.kind) for value in values]),
            suits=_grid(types, values, _suits).astype(bool),
            wrong=_grid(values, values, _is_wrong).astype(bool),
            phrases=phrases,
            gold=Words.of([[_gold(kind)] for kind in types]),
            spelling=_spelling(phrases.pool),
            mistranslations=Words.of([[kind.mistranslations] for kind in types]),
            titles=Words.of([[_capitalised(kind.titles)] for kind in types]),
            mentions=_mentions([title for kind in types for title in kind.titles], lexicon.values),
            catalogue=Words.of([[_capitalised([_catalogue_name(kind)])] for kind in types]),
            value_names=tuple(value.name for value in values),
            value_words=Words.of([[value.words[language] for language in LANGUAGES] for value in values]),
            value_titles=Words.of([[_capitalised(value.titles)] for value in values]),
            extras=Words.of(
                [[[word] for word in row] for row in zip(*(lexicon.extras[name] for name in LANGUAGES), strict=True)]
            ),
        )


def _devices(families: Sequence[str]) -> list[AttributeValue]:
    names = [f"{family}{'' if len(family.split()[-1]) == 1 else ' '}{n}" for family in families for n in DEVICE_NUMBERS]
    return [
        AttributeValue(
            kind="model",
            name=name.lower(),
            near=frozenset(),
            suits=(),
            titles=(f"for {name}", f"compatible with {name}", f"fits {name}"),
            words=dict.fromkeys(LANGUAGES, (name.lower(), name.lower().replace(" ", ""))),
        )
        for name in names
    ]


def _withheld(types: Sequence[ProductType], rng: np.random.Generator) -> Bools:
    """Withhold whole families of siblings, so that the near misses of an unseen type are unseen too."""
    family = np.array([str(kind.path.parent) for kind in types])
    names = rng.permutation(np.unique(family))
    size = np.array([(family == name).sum() for name in names])
    enough = int(np.searchsorted(np.cumsum(size), WITHHELD * len(types))) + 1
    return np.isin(family, names[:enough])


def _grid(rows: Sequence[A], columns: Sequence[B], cell: Callable[[A, B], int | bool]) -> Ints:
    return np.array([[cell(row, column) for column in columns] for row in rows], dtype=np.int64)


def _common_depth(one: CategoryPath, other: CategoryPath) -> int:
    return next(
        (depth for depth, (a, b) in enumerate(zip(one.levels, other.levels, strict=False)) if a != b),
        min(len(one.levels), len(other.levels)),
    )


def _belong(one: ProductType, other: ProductType) -> bool:
    return one.accessory_of == other.name or other.accessory_of == one.name


def _suits(kind: ProductType, value: AttributeValue) -> bool:
    return value.kind in kind.attributes and (not value.suits or any(kind.path.is_within(path) for path in value.suits))


def _is_wrong(one: AttributeValue, other: AttributeValue) -> bool:
    near = one.name in other.near or other.name in one.near
    return one.kind == other.kind and one.name != other.name and not near


def _mentions(titles: Sequence[str], values: Sequence[AttributeValue]) -> Bools:
    words = {kind: {word for v in values if v.kind == kind for word in (*v.titles, *v.words["en"])} for kind in KINDS}
    patterns = [
        rf"(?i)\b({'|'.join(sorted(words[kind])) or '$.'}){MEASURE if kind == 'size' else ''}" for kind in KINDS
    ]
    column = pl.Series(titles)
    return np.stack([column.str.contains(pattern).to_numpy() for pattern in patterns], axis=1)


def _spelling(phrases: pl.Series) -> Ints:
    """Return a number per phrase that is the same where only accents, case or spaces differ."""
    letters = phrases.str.normalize("NFKD").str.replace_all(r"[^\pL\pN]", "").str.to_lowercase()
    return letters.rank("dense").cast(pl.Int64).to_numpy()


def _capitalised(phrases: Sequence[str]) -> list[str]:
    return [" ".join(word[:1].upper() + word[1:] for word in phrase.split()) for phrase in phrases]


def _catalogue_name(kind: ProductType) -> str:
    """Return the deepest level name that shares no word with what English shoppers type; empty if there is none."""
    typed = _stems(" ".join(kind.phrases["en"]))
    return next((name for name in reversed(kind.path.levels) if not typed & _stems(name)), "")


def _gold(kind: ProductType) -> tuple[str, ...]:
    """Return the English phrases that share the fewest words with the path: a translator knows no catalogue."""
    path = _stems(" ".join(kind.path.levels))
    shared = {phrase: len(_stems(phrase) & path) for phrase in kind.phrases["en"]}
    return tuple(phrase for phrase, count in shared.items() if count == min(shared.values()))


def _stems(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"\w+", text.lower())}
