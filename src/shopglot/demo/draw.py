"""Meanings drawn as numbers: what a shopper wants, what a target offers, and whether the two fit."""

from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np

from shopglot.core.pair import Task
from shopglot.demo.lexicon import KINDS, LANGUAGES
from shopglot.demo.world import Bools, Ints, Relatives, World

MATCH: Final = "match"
NEGATIVES: Final = ("sibling", "cousin", "accessory", "random", "code", *KINDS)
"""How a target misses the query: another type near or far, or a stated attribute or product code that differs."""

WEIGHTS: Final[dict[Task, tuple[float, ...]]] = {
    "QC": (0.12, 0.13, 0.2, 0.6, 0, 0, 0, 0, 0, 0),
    "QI": (0.08, 0.08, 0.12, 0.7, 2.0, 0.35, 0.4, 0.4, 0.5, 0.8),
}
"""How often each kind of `NEGATIVES` is drawn, relative to the others that a query allows."""

STATED: Final[dict[Task, tuple[float, ...]]] = {
    "QC": (0.1, 0.05, 0.08, 0.15, 0.25),
    "QI": (0.22, 0.12, 0.16, 0.35, 0.6),
}
"""How often a query states each of `KINDS`, where its type has it."""

EXTRA: Final[dict[Task, float]] = {"QC": 0.08, "QI": 0.15}
"""How often a query has a word such as "2024" that changes nothing."""
CODE_ONLY: Final[dict[Task, float]] = {"QC": 0.0, "QI": 0.01}
"""How often a query is only a product code."""
FOREIGN: Final[dict[Task, float]] = {"QC": 0.14, "QI": 0.0}
"""The share of rows under `en` that are written in another language."""
OWN_VALUE: Final = 0.3
"""How often a title states an attribute that the query does not ask for."""
COPIED: Final = 0.7
"""How often an item of another type has the stated attribute, where it can."""
CODE_MIXED: Final = 0.04
"""How often the noun of a query in another language is English."""
CODES: Final = 90_000
UP: Final = ((0.8, 0.16, 0.04), (0.76, 0.19, 0.05))
"""How often a path is cut by none, one or two levels: of the wanted type, of another."""
DRAWS: Final = 60
"""Divisible by every number of alternatives up to six, so that each is equally likely."""


@dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """Queries as numbers, one per position.

    `language` is the one of the file's column, `text` the one it is typed in, `type_text` the one its noun is in.
    `stated[query, kind]` is the number of a value or -1, `code` of a product code or -1. `extra` is the number of a
    word that changes nothing or -1; `phrase` and `word` choose among synonyms.
    """

    language: Ints
    text: Ints
    type_text: Ints
    type: Ints
    stated: Ints
    code: Ints
    extra: Ints
    phrase: Ints
    word: Ints

    def take(self, rows: Ints | Bools) -> Self:
        """Return the queries at `rows`."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def put(self, rows: Ints, others: "Wanted") -> Self:
        """Return the queries with those at `rows` replaced."""
        changed = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, column in changed.items():
            column[rows] = getattr(others, name)
        return replace(self, **changed)


@dataclass(frozen=True, eq=False, slots=True)
class Offered:
    """Targets as numbers: `miss` is -1 for a match or the number of one of `NEGATIVES`.

    `values[target, kind]` is what an item's title states, `depth` how many levels a category path shows.
    """

    miss: Ints
    type: Ints
    values: Ints
    code: Ints
    depth: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Market:
    """One task of the world as one split shows it: `types` may occur in its targets."""

    world: World
    task: Task
    languages: Ints
    types: Bools
    sibling: Relatives
    cousin: Relatives
    accessory: Relatives
    stranger: Relatives

    @classmethod
    def of(cls, world: World, task: Task, languages: tuple[str, ...], types: Bools) -> Self:
        """Return the market; relatives among types that may not occur are left out."""
        depth = world.depth[:, None]
        near = (depth == world.depth) & (world.shared == depth - 1)
        top = world.shared >= 1
        same = world.shared == depth
        return cls(
            world,
            task,
            np.array([LANGUAGES.index(language) for language in languages]),
            types,
            sibling=Relatives.of(near & types),
            cousin=Relatives.of(top & ~near & ~same & types),
            accessory=Relatives.of(world.accessory & types),
            stranger=Relatives.of(~top & types),
        )


def draw_wanted(rng: np.random.Generator, market: Market, language: Ints, seen: Bools) -> Wanted:
    """Return one query for each of `language`, of a type that train shows where `seen` is true."""
    world, n = market.world, len(language)
    known, unknown = np.flatnonzero(world.seen), np.flatnonzero(~world.seen)
    of_type = np.where(seen, rng.choice(known, n), rng.choice(unknown, n))
    foreign = (language == 0) & (rng.random(n) < FOREIGN[market.task])
    text = np.where(foreign, rng.choice(market.languages[market.languages > 0], n), language)
    mixed = rng.random(n) < CODE_MIXED
    code = np.where(rng.random(n) < CODE_ONLY[market.task], rng.integers(0, CODES, n), -1)
    says = world.states[of_type] & (rng.random((n, len(KINDS))) < STATED[market.task]) & (code < 0)[:, None]
    return Wanted(
        language=language,
        text=text,
        type_text=np.where(mixed, 0, text),
        type=of_type,
        stated=np.where(says, _any_values(rng, world, of_type), -1),
        code=code,
        extra=np.where(rng.random(n) < EXTRA[market.task], rng.integers(0, len(world.extras.start), n), -1),
        phrase=rng.integers(0, DRAWS, n),
        word=rng.integers(0, DRAWS, n),
    )


def draw_offered(rng: np.random.Generator, market: Market, wanted: Wanted, label: Bools) -> Offered:
    """Return one target for each of `wanted` that fits it where `label` is true."""
    world, n = market.world, len(label)
    miss = np.where(label, -1, _draw_miss(rng, market, wanted))
    of_type = wanted.type.copy()
    relations = (market.sibling, market.cousin, market.accessory, market.stranger)
    for number, relation in enumerate(relations):
        of_type = np.where(miss == number, relation.draw(rng, wanted.type), of_type)
    return Offered(
        miss=miss,
        type=of_type,
        values=_draw_values(rng, world, wanted, of_type, miss),
        code=np.where((miss == -1) & (wanted.code >= 0), wanted.code, _other_code(rng, wanted.code)),
        depth=_draw_depth(rng, world, wanted.type, of_type, n),
    )


def _draw_miss(rng: np.random.Generator, market: Market, wanted: Wanted) -> Ints:
    relations = (market.sibling, market.cousin, market.accessory, market.stranger)
    related = np.stack([relation.count[wanted.type] > 0 for relation in relations], axis=1)
    possible = np.hstack([related, (wanted.code >= 0)[:, None], _can_differ(market.world, wanted)])
    weight = np.where(possible, np.array(WEIGHTS[market.task]), 0.0).cumsum(axis=1)
    nth: Ints = (weight <= rng.random((len(weight), 1)) * weight[:, -1:]).sum(axis=1)
    return nth


def _can_differ(world: World, wanted: Wanted) -> Bools:
    """Return for each query and kind whether another value of the kind suits its type."""
    choices: Bools = np.any(world.suits[:, None, :] & world.wrong[None, :, :], axis=2)
    return (wanted.stated >= 0) & choices[wanted.type[:, None], wanted.stated]


def _draw_values(rng: np.random.Generator, world: World, wanted: Wanted, of_type: Ints, miss: Ints) -> Ints:
    """Return the values that titles state: those asked for, as far as the type has them, and others of its own."""
    stated, shape = wanted.stated, wanted.stated.shape
    own = np.where(rng.random(shape) < OWN_VALUE, _any_values(rng, world, of_type), -1)
    same_type = (of_type == wanted.type)[:, None]
    copied = same_type | (world.suits[of_type[:, None], stated] & (rng.random(shape) < COPIED))
    values = np.where((stated >= 0) & copied, stated, own)
    for kind in range(len(KINDS)):
        rows = np.flatnonzero(miss == NEGATIVES.index(KINDS[kind]))
        fitting = world.suits[of_type[rows]] & world.wrong[stated[rows, kind]]
        values[rows, kind] = _choose(rng, fitting)
    return values


def _any_values(rng: np.random.Generator, world: World, of_type: Ints) -> Ints:
    """Return for each type a value of every kind that suits it, or -1."""
    columns = []
    for kind in range(len(KINDS)):
        own = np.flatnonzero(world.kind_of == kind)
        place = _choose(rng, world.suits[:, own][of_type])
        columns.append(np.where(place < 0, -1, own[place]))
    return np.stack(columns, axis=1)


def _choose(rng: np.random.Generator, allowed: Bools) -> Ints:
    """Return the number of one allowed column per row, each as likely; -1 where there is none."""
    count = allowed.sum(axis=1)
    nth = (rng.random(len(allowed)) * count).astype(np.int64)
    chosen = np.argmax(allowed.cumsum(axis=1) > nth[:, None], axis=1)
    return np.where(count > 0, chosen, -1)


def _other_code(rng: np.random.Generator, code: Ints) -> Ints:
    """Return codes that differ from `code`: one digit away where there is one, any where there is none."""
    step = 10 ** rng.integers(0, 4, len(code))
    return np.where(code >= 0, (code + step) % CODES, rng.integers(0, CODES, len(code)))


def _draw_depth(rng: np.random.Generator, world: World, wanted: Ints, offered: Ints, n: int) -> Ints:
    """Return how many levels of the offered path are shown: never so few that the wanted type lies below them."""
    up = np.where(wanted == offered, rng.choice(3, n, p=UP[0]), rng.choice(3, n, p=UP[1]))
    fewest = np.where(wanted == offered, 2, np.maximum(world.shared[wanted, offered] + 1, 2))
    return np.maximum(world.depth[offered] - up, fewest)
