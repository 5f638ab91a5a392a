"""Irrelevant pairs, made from relevant ones: easy and hard in stated shares, none that may be relevant after all."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Encoder, Scorer
from shopglot.enrich.candidates import NONE, Pool, Positions, Shelf
from shopglot.enrich.guard import Guard
from shopglot.enrich.negative_settings import IN_TREE, NegativeKind, NegativeSettings

log = logging.getLogger(__name__)

MADE_BY: Final = "negative:"
TWIN: Final = "a pair already"
NOT_FOUND: Final = "not found"
_KEPT: Final = ("task", "query", "language", "english", "concept", "weight")
_CHOICES: Final = 3
_TRIES: Final = 8


@dataclass(frozen=True, eq=False, slots=True)
class Made:
    """Made pairs; `counts` says how many of each kind, how many candidates each rule refused, how many are missing.

    The keys of the counts are the values of `made_by`, the rules of the guard, "a pair already" and "not found".
    """

    pairs: Pairs
    counts: dict[str, int]


def negatives(
    pairs: Pairs,
    settings: NegativeSettings,
    *,
    seed: int,
    taxonomy: Iterable[str] = (),
    encoder: Encoder | None = None,
    scorer: Scorer | None = None,
) -> Made:
    """Return irrelevant pairs for the queries of the relevant ones, none of which the guard refuses.

    QC queries get category paths of `pairs` and `taxonomy`, QI queries titles of `pairs`. Titles have no siblings and
    cousins here, so the share of these goes to the other kinds. A made pair keeps task, query, language, english,
    concept and weight; `made_from` is the id of the original and `made_by` the kind, such as "negative:sibling".
    `scorer`, such as the ensemble, refuses what it scores at `settings.limit` or above.

    Give the pairs that train a fold, and a scorer that was trained on these, for what is made knows all of them.
    Raises DataError where no pair is relevant, RecipeError where a kind needs an encoder and there is none.
    """
    judged = pairs.labelled
    if not (judged["label"] == 1).any():
        raise DataError("no pair is relevant, so there is nothing to make negatives from; give pairs with the label 1")
    known = {"QC": list(taxonomy), "QI": []}
    made = []
    for number, task in enumerate(judged.tasks):
        path = pl.col("target") if task == "QC" else pl.lit(None, dtype=pl.String)
        own = judged.of_task(task).frame.with_columns(path=path)
        targets = pl.concat([pairs.of_task(task)["target"], pl.Series("target", known[task], dtype=pl.String)])
        shelf = Shelf.of(targets.filter(targets != "").to_frame().with_columns(path=path))
        guard = Guard.of(own.filter(pl.col("label") == 1), scorer, settings.limit)
        made.append(draw_negatives(own, shelf, guard, settings, np.random.default_rng([seed, number]), encoder))
    counts = Counter[str]()
    for part in made:
        counts.update(part.counts)
    log.info("negatives: %s", ", ".join(f"{name}: {count:,}" for name, count in counts.items()))
    return Made(Pairs.concat(part.pairs for part in made), dict(counts))


def with_negatives(
    pairs: Pairs,
    settings: NegativeSettings,
    *,
    seed: int,
    taxonomy: Iterable[str] = (),
    encoder: Encoder | None = None,
    scorer: Scorer | None = None,
) -> Pairs:
    """Return the pairs and, after them, the `negatives` that are made from them."""
    made = negatives(pairs, settings, seed=seed, taxonomy=taxonomy, encoder=encoder, scorer=scorer)
    return Pairs.concat([pairs, made.pairs])


def draw_negatives(
    judged: pl.DataFrame,
    shelf: Shelf,
    guard: Guard,
    settings: NegativeSettings,
    rng: np.random.Generator,
    encoder: Encoder | None = None,
) -> Made:
    """Return irrelevant pairs for the queries of the relevant rows of `judged`, drawn from beside their targets.

    `judged` has the columns of `Pairs`; its relevant targets stand on the shelf. No pair of it is made again. Where a
    kind has nothing safe to offer, the kind is drawn again, and in the end the pair is "not found".
    """
    relevant = judged.filter(pl.col("label") == 1, pl.col("target") != "")
    parent = np.repeat(np.arange(relevant.height), (settings.per_positive + rng.random(relevant.height)).astype(int))
    beside = shelf.positions(relevant["target"])[parent]
    shares = {kind: share for kind, share in settings.shares.items() if shelf.in_tree or kind not in IN_TREE}
    if not len(parent) or not shares:
        return Made(Pairs.concat([]), {})
    weights = np.array(list(shares.values()))
    kinds = rng.choice(len(shares), size=(_CHOICES, len(parent)), p=weights / weights.sum())
    pools = {
        name: shelf.pool(name, beside[(kinds == number).any(axis=0)], settings, encoder, seed=number)
        for number, name in enumerate(shares)
    }
    sources = relevant.select(*_KEPT, parent="id", made_from=pl.coalesce("made_from", "id"))
    wanted = sources[parent].with_row_index("slot")
    made, twins, counts = [], _mark(judged), Counter[str]()
    for kind in kinds.repeat(_TRIES, axis=0):
        if wanted.is_empty():
            break
        slots = wanted["slot"].to_numpy()
        offered = wanted.hstack(_drawn(pools, kind[slots], beside[slots], shelf, rng)).drop_nulls("target")
        mark = _mark(offered)
        fresh = offered.filter(mark.is_first_distinct() & ~mark.is_in(twins.implode()))
        reasons = guard.refusals(fresh)
        safe = fresh.filter(reasons.is_null())
        counts.update({TWIN: offered.height - fresh.height} | dict(reasons.drop_nulls().value_counts().iter_rows()))
        made.append(safe)
        twins = pl.concat([twins, _mark(safe)])
        wanted = wanted.join(safe, on="slot", how="anti", maintain_order="left")
    pairs = _numbered(pl.concat(made).sort("slot"))
    counts.update(dict(pairs["made_by"].value_counts().iter_rows()) | {NOT_FOUND: wanted.height})
    return Made(pairs, dict(counts))


def _drawn(
    pools: Mapping[NegativeKind, Pool], kind: Positions, beside: Positions, shelf: Shelf, rng: np.random.Generator
) -> pl.DataFrame:
    """Return a target, its path and what made it for each position; null where the kind has none to offer."""
    drawn = np.full(len(kind), NONE)
    for number, pool in enumerate(pools.values()):
        rows = kind == number
        drawn[rows] = pool.draw(beside[rows], rng)
    at = pl.Series(drawn).replace(NONE, None)
    made_by = pl.Series("made_by", [MADE_BY + name for name in pools]).gather(kind)
    return shelf.frame.select(pl.col("target", "path").gather(at)).with_columns(made_by)


def _mark(pairs: pl.DataFrame) -> pl.Series:
    return pairs.select(pl.struct("query", "target").hash()).to_series()


def _numbered(made: pl.DataFrame) -> Pairs:
    number = pl.int_range(1, pl.len() + 1).over("parent")
    kept = [*_KEPT, "target", "made_from", "made_by"]
    return Pairs.from_frame(made.select(*kept, id=pl.format("{}~negative-{}", "parent", number), label=pl.lit(0)))
