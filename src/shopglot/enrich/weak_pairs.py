"""Pairs that follow from a shop's own names: queries with their category's path, its children and its titles."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.enrich.bootstrap_settings import BootstrapSettings
from shopglot.enrich.catalogue_file import ATTRIBUTE
from shopglot.enrich.guard import plain

_COLUMNS: Final = ("query", "language", "concept", "path", "target", "place", "made_by")
_PAIRS: Final = pl.Schema(dict.fromkeys(_COLUMNS, pl.String()))
"""What the functions below return: `path` is the category that the query names, `place` that of the target."""

CHILD: Final = "child"
CONTRADICTION: Final = "negative:attribute"

_PART: Final = r"\s*(?:&|/|\band\b)\s*"
_TRIES: Final = 4


def name_queries(names: pl.DataFrame, settings: BootstrapSettings) -> pl.DataFrame:
    """Return the queries that localised names make: columns node, language, query and made_by.

    A name that several categories of a language share is also a query behind the name of its parent, unless that one
    has it too.
    """
    parent = levels(pl.col("path")).list.get(-2, null_on_oob=True)
    shared = pl.struct(plain(pl.col("name")), "language").is_duplicated()
    told_apart = ~plain(parent).str.contains(plain(pl.col("name")), literal=True)
    qualified = names.filter(shared & told_apart).with_columns(query=pl.concat_str(parent, "name", separator=" "))
    made = {
        "own": names.with_columns(query="name"),
        "qualified": qualified,
        "synonym": names.explode("synonyms").with_columns(query="synonyms"),
    }
    if settings.split_names:
        parts = names.with_columns(query=pl.col("name").str.replace_all(_PART, "\n").str.split("\n"))
        # A space means that the parts may share a word, as in "Baseball & Softball Gloves".
        whole = pl.col("query").list.eval(pl.element().str.contains(r"^\S+$")).list.all()
        made["part"] = parts.filter(whole).explode("query")
    kinds = [part.select("node", "language", "query", made_by=pl.lit(kind)) for kind, part in made.items()]
    return pl.concat(kinds).drop_nulls("query").unique(["node", "language", "query"], maintain_order=True)


def category_pairs(
    queries: pl.DataFrame, paths: pl.Series, settings: BootstrapSettings, rng: np.random.Generator
) -> pl.DataFrame:
    """Return each query with its own path, and some of them with one of `paths` that is right below it."""
    names = levels(pl.col("target")).list
    below = paths.to_frame("target").with_columns(path=names.head(names.len() - 1).list.join(","))
    drawn = queries.filter(pl.Series(rng.random(queries.height) < settings.children))
    children = _with_some(drawn, below, 1, rng).with_columns(made_by=pl.lit(CHILD))
    own = queries.with_columns(target="path")
    return pl.concat([part.with_columns(place="target").select(list(_PAIRS)) for part in (own, children)])


def title_pairs(
    queries: pl.DataFrame, items: pl.DataFrame, settings: BootstrapSettings, rng: np.random.Generator
) -> pl.DataFrame:
    """Return each query with titles of items of its category or of those below it."""
    above = levels(pl.col("place")).list
    prefixes = pl.concat_list(above.head(depth).list.join(",") for depth in range(1, MAX_DEPTH + 1)).list.unique()
    below = items.select("target", "place", path=prefixes).explode("path")
    return _with_some(queries, below, settings.titles, rng).with_columns(made_by=pl.lit("title")).select(list(_PAIRS))


def attribute_pairs(
    queries: pl.DataFrame, items: pl.DataFrame, settings: BootstrapSettings, rng: np.random.Generator
) -> pl.DataFrame:
    """Return queries of an attribute's value before a name, such as "red dress", with titles that state the value.

    Those made by "negative:attribute" have titles of the same category that state another value, and not this one.
    """
    made = [_PAIRS.to_frame()]
    for attribute in (name for name in items.columns if name.startswith(ATTRIBUTE)):
        stated = items.select("target", "place", path="place", value=attribute).drop_nulls()
        stated = stated.filter(_states("target", "value"))
        valued = queries.join(
            stated.select("path", "value").unique(maintain_order=True), on="path", maintain_order="left"
        )
        asked = valued.with_columns(
            query=pl.concat_str("value", "query", separator=" "),
            concept=pl.concat_str("concept", pl.lit(attribute), "value", separator=" "),
        )
        right = _with_some(asked, stated, settings.titles, rng, ("path", "value"))
        others = stated.rename({"value": "other"})
        wrong = _with_some(asked, others, settings.contradictions * _TRIES, rng)
        wrong = wrong.filter(~_states("target", "value"), ~_states("value", "other"))
        wrong = wrong.group_by("query", "concept", maintain_order=True).head(settings.contradictions)
        kinds = {"attribute": right, CONTRADICTION: wrong}
        made += [part.with_columns(made_by=pl.lit(kind)).select(list(_PAIRS)) for kind, part in kinds.items()]
    return pl.concat(made)


def _states(text: str, value: str) -> pl.Expr:
    """Whether a text has all words of a value one after the other."""
    within, words = (pl.format(" {} ", plain(pl.col(name))) for name in (text, value))
    return within.str.contains(words, literal=True)


def _with_some(
    queries: pl.DataFrame, members: pl.DataFrame, count: int, rng: np.random.Generator, key: Sequence[str] = ("path",)
) -> pl.DataFrame:
    """Return each query beside up to `count` distinct rows of `members` with the same key, drawn at random."""
    ordered = members.sort(*key, maintain_order=True).with_row_index("at")
    groups = ordered.group_by(*key, maintain_order=True).agg(pl.col("at").first(), size=pl.len())
    asked = queries.join(groups, on=list(key), maintain_order="left")
    rows = np.repeat(np.arange(asked.height), count)
    start, size = asked["at"].to_numpy()[rows], asked["size"].to_numpy()[rows]
    drawn = start + (rng.random(len(rows)) * size).astype(np.int64)
    beside = ordered.drop("at", *key)[drawn]
    return asked.drop("at", "size")[rows].hstack(beside).unique(maintain_order=True)
