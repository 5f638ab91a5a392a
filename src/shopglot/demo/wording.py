"""Meanings become texts: queries in thirteen languages, their good and poor English, paths and sellers' titles."""

import re
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.demo.draw import DRAWS, Offered, Wanted
from shopglot.demo.lexicon import KINDS, LANGUAGES
from shopglot.demo.world import Bools, Ints, World

MISTAKEN: Final = 0.16
"""The share of nouns, in one language, that the poor translator gets wrong every time."""
UNTRANSLATED: Final = 0.07
DROPPED: Final = 0.12
FOREIGN_ORDER: Final = 0.2

THAI: Final = LANGUAGES.index("th")
THAI_TITLE: Final = 0.02
PHRASES: Final = (1.0, 0.95, 0.45)
"""How often a title has a first, a second and a third name for its product."""
CATALOGUE_NAME: Final = 0.8
"""How often a title has the name of its category."""
LAYOUTS: Final = (
    "filler brand phrase0 attributes phrase1 model catalogue phrase2 code",
    "phrase0 attributes phrase1 brand model catalogue phrase2 filler",
    "brand catalogue attributes phrase0 model phrase1 filler phrase2 code",
    "filler catalogue phrase0 attributes phrase1 phrase2 model",
    "phrase1 phrase0 model attributes catalogue phrase2 filler brand",
)


def query_texts(world: World, wanted: Wanted) -> pl.Series:
    """Return the queries as a careful native speaker would type them."""
    noun = world.phrases(wanted.type, wanted.type_text, wanted.phrase)
    return _phrased(world, wanted, noun, wanted.stated, wanted.text, wanted.text)


def english_texts(world: World, wanted: Wanted) -> pl.Series:
    """Return the gold translations: the clean query itself where it is English."""
    typed, translated = world.phrases(wanted.type, 0, wanted.phrase), world.gold(wanted.type, 0, wanted.phrase)
    noun = pl.select(pl.when(pl.Series(wanted.text == 0)).then(typed).otherwise(translated)).to_series()
    return _phrased(world, wanted, noun, wanted.stated, 0, np.zeros_like(wanted.text))


def machine_texts(rng: np.random.Generator, world: World, wanted: Wanted, typed: pl.Series) -> pl.Series:
    """Return what a poor machine translator makes of the queries; English ones it leaves as `typed`.

    It takes some nouns for others, always the same ones, leaves some untranslated, drops attributes, and keeps the
    order of the source language.
    """
    n = len(typed)
    luck = _luck(world.phrases.place(wanted.type, wanted.type_text, wanted.phrase))
    foreign = wanted.type_text > 0
    noun = pl.select(
        pl.when(pl.Series(foreign & (luck < MISTAKEN)))
        .then(world.mistranslations(wanted.type, 0, wanted.phrase))
        .when(pl.Series(luck > 1 - UNTRANSLATED))
        .then(world.phrases(wanted.type, wanted.type_text, wanted.phrase))
        .otherwise(world.gold(wanted.type, 0, wanted.phrase))
    ).to_series()
    stated = np.where(rng.random(wanted.stated.shape) < DROPPED, -1, wanted.stated)
    order = np.where(rng.random(n) < FOREIGN_ORDER, wanted.text, 0)
    english = _phrased(world, wanted, noun, stated, 0, order)
    return pl.select(pl.when(pl.Series(wanted.text == 0)).then(typed).otherwise(english)).to_series()


def path_texts(world: World, offered: Offered) -> pl.Series:
    """Return the category paths, cut to the depth they show."""
    return world.nodes(offered.type, offered.depth - 1, np.zeros_like(offered.type))


def title_texts(rng: np.random.Generator, world: World, offered: Offered) -> pl.Series:
    """Return the items' titles as sellers write them; one in a few dozen is Thai."""
    n = len(offered.type)
    thai = rng.random(n) < THAI_TITLE
    layout = rng.integers(0, len(LAYOUTS), n)
    parts = _title_parts(rng, world, offered, thai)
    typed = [parts.with_columns(title=_joined(LAYOUTS[k].split())).filter(layout == k) for k in range(len(LAYOUTS))]
    return pl.concat(typed).sort("row")["title"].str.replace_all(r"\s+", " ").str.strip_chars()


def _phrased(world: World, wanted: Wanted, noun: pl.Series, stated: Ints, words: Ints | int, order: Ints) -> pl.Series:
    """Return noun and attributes in the order of each row's language; a product code stands alone."""
    draw = wanted.word[:, None] + np.arange(len(KINDS))
    columns = {kind: world.value_words(stated[:, k], words, draw[:, k]) for k, kind in enumerate(KINDS)}
    columns["extra"] = world.extras(wanted.extra, words, draw[:, 0])
    table = pl.DataFrame({"row": np.arange(len(noun)), "type": noun, **columns, "code": code_texts(wanted.code)})
    typed = []
    for number, language in enumerate(LANGUAGES):
        rows = table.filter(order == number)
        typed.append(rows.select("row", text=_ordered(world.lexicon.orders[language])))
    text = pl.concat(typed).sort("row")["text"].str.strip_chars()
    return pl.select(pl.when(table["code"].is_null()).then(text).otherwise(table["code"])).to_series()


def _ordered(order: str) -> pl.Expr:
    """Return the parts of an order such as `{colour} {type}` joined, without the space before an absent one."""
    parts = [pl.lit(space) + pl.col(name) for space, name in re.findall(r"( *)\{(\w+)\}", order)]
    return pl.concat_str(*parts, ignore_nulls=True)


def code_texts(code: Ints) -> pl.Series:
    """Return product codes such as `qx-40417`, null where there is none."""
    letters = "bcdfghjklmnpqrstvwxz"
    number = pl.Series(code)
    first, second = (pl.Series(list(letters)).gather(pl.Series(code * step % 20)) for step in (7, 3))
    return pl.select(pl.when(number >= 0).then(pl.format("{}{}-{}", first, second, number + 10_000))).to_series()


def _luck(place: Ints) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each, the same every time."""
    return (place * 2_654_435_761 % 2**32) / 2**32


def _title_parts(rng: np.random.Generator, world: World, offered: Offered, thai: Bools) -> pl.DataFrame:
    n = len(thai)
    draw = rng.integers(0, DRAWS, (n, len(KINDS) + 1))
    sellers = {kind: pl.Series(words) for kind, words in world.lexicon.sellers.items()}
    parts = {name: text.set(pl.Series(thai), None) for name, text in _title_phrases(rng, world, offered).items()}
    native = {
        "phrase0": world.phrases(offered.type, THAI, draw[:, -1]),
        "filler": _any_of(rng, sellers["thai_filler"], n),
    }
    parts["filler"] = _any_of(rng, sellers["filler"], n)
    for k, kind in enumerate(KINDS):
        parts[kind] = world.value_titles(offered.values[:, k], 0, draw[:, k])
        native[kind] = world.value_words(offered.values[:, k], THAI, draw[:, k])
    named = np.where(rng.random(n) < CATALOGUE_NAME, offered.type, -1)
    return pl.DataFrame(
        {
            "row": np.arange(n),
            "brand": _any_of(rng, sellers["brand"], n),
            "catalogue": world.catalogue(named, 0, draw[:, -1]),
            "code": code_texts(offered.code).str.to_uppercase(),
            **parts,
            **{name: text.zip_with(pl.Series(thai), parts[name]) for name, text in native.items()},
        }
    )


def _joined(names: list[str]) -> pl.Expr:
    attributes = [kind for kind in KINDS if kind != "model"]
    wide = [column for name in names for column in (attributes if name == "attributes" else [name])]
    return pl.concat_str([pl.col(column) for column in wide], separator=" ", ignore_nulls=True)


def _any_of(rng: np.random.Generator, words: pl.Series, n: int) -> pl.Series:
    return words.gather(pl.Series(rng.integers(0, len(words), n)))


def _title_phrases(rng: np.random.Generator, world: World, offered: Offered) -> dict[str, pl.Series]:
    """Return names for each item, best first; after the first, none that contradicts the item's attributes."""
    count, most = world.titles.count[offered.type], len(PHRASES)
    place = world.titles.start[offered.type] + np.minimum(np.arange(most), count - 1)
    clash = (world.mentions[place] & (offered.values >= 0)[:, None, :]).any(axis=2) | (np.arange(most) >= count)
    order = np.argsort(clash + rng.random(clash.shape) * 0.9, axis=1)
    place, clash = np.take_along_axis(place, order, axis=1), np.take_along_axis(clash, order, axis=1)
    hidden = clash | (rng.random(clash.shape) >= PHRASES)
    hidden[:, 0] = False
    pool = world.titles.pool
    return {f"phrase{k}": pool.gather(pl.Series(place[:, k])).set(pl.Series(hidden[:, k]), None) for k in range(most)}
