"""A chunk of labelled pairs: meanings are drawn, put into words, and dealt so that every language gets its labels."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.pair import Task
from shopglot.demo.draw import MATCH, NEGATIVES, Market, Offered, Wanted, draw_offered, draw_wanted
from shopglot.demo.lexicon import KINDS, LANGUAGES
from shopglot.demo.noise import mistype
from shopglot.demo.wording import code_texts, english_texts, machine_texts, path_texts, query_texts, title_texts
from shopglot.demo.world import Bools, Ints, World

POSITIVE: Final[dict[Task, dict[str, float]]] = {
    "QC": {
        "en": 0.675, "es": 0.712, "fr": 0.698, "ja": 0.648, "ko": 0.663,
        "pt": 0.741, "ar": 0.585, "de": 0.689, "it": 0.787, "pl": 0.697,
    },
    "QI": {
        "en": 0.662, "es": 0.648, "fr": 0.631, "pt": 0.655, "th": 0.592, "ja": 0.586, "ko": 0.601,
        "ar": 0.547, "de": 0.636, "id": 0.622, "it": 0.682, "pl": 0.641, "vi": 0.613,
    },
}  # fmt: skip
"""The share of relevant pairs in each language."""

UNSEEN: Final = 0.4
"""The share of dev rows whose product type train does not show."""
NEW_QUERY: Final = 0.5
"""The chance that a row begins another query rather than judging one more target of the last."""
NO_TITLE: Final = 0.0013
SURPLUS: Final = 2.0
"""How many rows are drawn for one that is kept, so that few pairs are repeated."""
DEV_QUERIES: Final = 4
"""One in so many queries of types that train shows is only for dev."""


def draw_chunk(rng: np.random.Generator, market: Market, split: str, count: int, label_noise: float) -> pl.DataFrame:
    """Return `count` pairs in random order, with what is true of them: `label` before noise and `noisy` after it."""
    plan = _plan(rng, market, count)
    language, label = plan["language"].to_numpy(), plan["label"].to_numpy()
    begins = (rng.random(plan.height) < NEW_QUERY) | (np.diff(language, prepend=-1) != 0)
    query = np.cumsum(begins) - 1
    wanted = _draw_queries(rng, market, split, language[begins])
    asked = wanted.take(query)
    offered = draw_offered(rng, market, asked, label)
    table = pl.concat(
        [plan, _query_columns(rng, market.world, wanted)[query], _target_columns(rng, market, offered)],
        how="horizontal",
    )
    kept = _keep(table)[rng.permutation(count)]
    flipped = pl.Series(rng.random(count) < label_noise)
    return kept.with_columns(noisy=pl.col("label") ^ flipped)


def _plan(rng: np.random.Generator, market: Market, count: int) -> pl.DataFrame:
    """Return languages and labels with more rows than are kept, and how many of each are kept."""
    blocks = []
    for place, language in enumerate(market.languages):
        rows = len(range(place, count, len(market.languages)))
        positive = round(POSITIVE[market.task][LANGUAGES[language]] * rows)
        drawn = np.ceil(SURPLUS * np.array([rows - positive, positive])).astype(int)
        label = rng.permutation(np.repeat([False, True], drawn))
        quota = np.where(label, positive, rows - positive)
        blocks.append(pl.DataFrame({"language": np.full(len(label), language), "label": label, "quota": quota}))
    return pl.concat(blocks)


def _draw_queries(rng: np.random.Generator, market: Market, split: str, language: Ints) -> Wanted:
    """Return queries of which those of types that train shows can only be drawn for this split."""
    seen = (split == "train") | (rng.random(len(language)) >= UNSEEN)
    wanted = draw_wanted(rng, market, language, seen)
    while len(wrong := np.flatnonzero(seen & (_is_for_dev(market.world, wanted) != (split == "dev")))):
        wanted = wanted.put(wrong, draw_wanted(rng, market, language[wrong], seen[wrong]))
    return wanted


def _is_for_dev(world: World, wanted: Wanted) -> Bools:
    """Return which queries only dev may hold: a quarter of them, whatever the language or the spelling."""
    phrase = world.spelling[world.phrases.place(wanted.type, wanted.type_text, wanted.phrase)]
    meaning = _hashed(np.where(wanted.code < 0, phrase, 0), wanted.stated, wanted.code)
    return np.equal(meaning % DEV_QUERIES, 0)


def _hashed(one: Ints, stated: Ints, code: Ints) -> NDArray[np.uint64]:
    """Return a number that is the same for the same meaning on every machine."""
    mixed = np.zeros(len(one), dtype=np.uint64)
    for column in (one, *stated.T, code):
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _query_columns(rng: np.random.Generator, world: World, wanted: Wanted) -> pl.DataFrame:
    typed = mistype(rng, query_texts(world, wanted), wanted.text)
    concept = pl.Series(_hashed(wanted.type, wanted.stated, wanted.code) % 10**12)
    return pl.DataFrame(
        {
            "origin_query": typed,
            "translated_query": english_texts(world, wanted),
            "machine_translation": machine_texts(rng, world, wanted, typed),
            "concept": pl.select(pl.format("c{}", concept)).to_series(),
            "seen_type": world.seen[wanted.type],
            "type": pl.Series([kind.name for kind in world.lexicon.types]).gather(pl.Series(wanted.type)),
            "stated": _facts(world, wanted.stated, wanted.code),
        }
    )


def _target_columns(rng: np.random.Generator, market: Market, offered: Offered) -> pl.DataFrame:
    world = market.world
    if market.task == "QC":
        target = path_texts(world, offered)
        states = pl.Series([None], dtype=pl.String).new_from_index(0, len(target))
    else:
        title = title_texts(rng, world, offered)
        missing = pl.Series(rng.random(len(title)) < NO_TITLE)
        target = pl.select(pl.when(~missing).then(title)).to_series()
        states = _facts(world, offered.values, offered.code)
    kinds = pl.Series([*NEGATIVES, MATCH])
    return pl.DataFrame(
        {
            "target": target,
            "offered": states,
            "target_type": pl.Series([kind.name for kind in world.lexicon.types]).gather(pl.Series(offered.type)),
            "kind": kinds.gather(pl.Series(offered.miss % len(kinds))),
        }
    )


def _facts(world: World, values: Ints, code: Ints) -> pl.Series:
    """Return what is stated, as text such as `colour=red;size=small`."""
    names = pl.Series([f"{KINDS[kind]}={name}" for kind, name in zip(world.kind_of, world.value_names, strict=True)])
    columns = [names.gather(pl.Series(values[:, k]).replace(-1, None)) for k in range(len(KINDS))]
    product = pl.select(pl.lit("code=") + code_texts(code)).to_series()
    return pl.select(pl.concat_str(*columns, product, separator=";", ignore_nulls=True)).to_series()


def _keep(table: pl.DataFrame) -> pl.DataFrame:
    """Return as many rows of each language and label as are wanted, repeated pairs only where there are no others."""
    repeated = table.with_columns(repeated=~pl.struct("origin_query", "target").is_first_distinct())
    rank = pl.int_range(pl.len()).over("language", "label")
    return repeated.sort("repeated", maintain_order=True).filter(rank < pl.col("quota"))
