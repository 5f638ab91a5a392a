"""Weak labels for a shop that has none, from its category names and its catalogue."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, Pairs
from shopglot.core.scores import Encoder, Scorer
from shopglot.curate.clean import clean_paths
from shopglot.enrich.bootstrap_settings import BootstrapSettings
from shopglot.enrich.candidates import Shelf
from shopglot.enrich.catalogue_file import ATTRIBUTE
from shopglot.enrich.guard import Guard, plain
from shopglot.enrich.localised_paths import as_written
from shopglot.enrich.negatives import Made, draw_negatives
from shopglot.enrich.weak_pairs import CHILD, CONTRADICTION, attribute_pairs, category_pairs, name_queries, title_pairs

TRAIN: Final = "train"
DEV: Final = "dev"
_BRANCH_LEVELS: Final = 2


@dataclass(frozen=True, eq=False, slots=True)
class Bootstrapped:
    """Weakly labelled pairs to train on and to judge by, the paths of the shop's tree, and what was counted.

    `made_by` says how a pair was made: "own", "qualified", "synonym", "part", "child", "title", "attribute", or
    "negative:" with its kind. `concept` is the node that the query names, with the value of an attribute if it has one,
    so that translated twins stay in one fold. `own:seen_branch` says whether train shows the branch of that node.
    """

    train: Pairs
    dev: Pairs
    taxonomy: tuple[str, ...]
    counts: dict[str, int]


def bootstrap(
    names: pl.DataFrame,
    items: pl.DataFrame | None,
    settings: BootstrapSettings,
    *,
    encoder: Encoder | None = None,
    scorer: Scorer | None = None,
) -> Bootstrapped:
    """Return weakly labelled pairs made of localised names (`read_localised`) and of items (`read_items`), if any.

    A query is the name of a category in one of its languages; where categories share a name, also that name behind its
    parent's. It is relevant to the category's path in the target language, to some of its children and to titles of its
    items. A value of an attribute before the name is relevant to titles that state it. Negatives are drawn as
    `negatives` does, past a guard that knows all names of all categories.

    Dev alone shows some two-level branches and the `dev_languages`, and has no query of train. Raises DataError where
    nothing is left to make pairs of, RecipeError for a language without names.
    """
    making = _Making(settings, np.random.default_rng(settings.seed), encoder, scorer)
    nodes = _dealt(names, settings, making.rng)
    queries, counts = _queries(names, nodes, settings)
    asked: dict[Task, pl.DataFrame] = {"QC": queries}
    shown: dict[Task, pl.DataFrame] = {"QC": nodes.select("branch", target="path", place="path")}
    if items is not None:
        placed = _placed(items, names, nodes)
        asked = {"QC": pl.concat([queries, _titles(placed, settings)]), "QI": queries}
        shown["QI"] = placed
        counts["items without a category of the tree"] = items.height - placed.height
    parts: dict[str, list[Pairs]] = {TRAIN: [], DEV: []}
    for task, targets in shown.items():
        for split, tables in parts.items():
            offered = targets if split == DEV else targets.filter(pl.col("branch") == TRAIN)
            made = _made(task, asked[task], split, offered, making)
            tables.append(made.pairs)
            counts.update({f"{split} {task} {name}": count for name, count in made.counts.items()})
    train, dev = (_shuffled(Pairs.concat(tables), nodes, making.rng) for tables in parts.values())
    if not len(train):
        raise DataError("no category has a query and a path to train on; lower `dev`, or name fewer dev languages")
    return Bootstrapped(train, dev, tuple(nodes["path"].unique().sort()), dict(counts))


@dataclass(frozen=True, eq=False, slots=True)
class _Making:
    settings: BootstrapSettings
    rng: np.random.Generator
    encoder: Encoder | None
    scorer: Scorer | None


def _dealt(names: pl.DataFrame, settings: BootstrapSettings, rng: np.random.Generator) -> pl.DataFrame:
    """Return each node with its path in the target language, and whether its branch is one of train or of dev.

    The top levels are of train where there is anything below them: they begin the paths of both.
    """
    own = names.filter(pl.col("language") == settings.target_language).unique("node", keep="first", maintain_order=True)
    if own.is_empty():
        languages = ", ".join(names["language"].unique().sort())
        raise DataError(f"no category has a path in {settings.target_language!r}; there are names in {languages}")
    paths = own.select("node", path=clean_paths(own["path"], lower_case=True))
    level = levels(pl.col("path")).list
    cut = paths.with_columns(top=level.head(_BRANCH_LEVELS).list.join(","), depth=level.len())
    deepest = pl.col("depth").max().clip(upper_bound=_BRANCH_LEVELS)
    branches = cut.filter(pl.col("depth") >= deepest).group_by("top").len().sort("top")
    shuffled = branches[rng.permutation(branches.height)]
    before = pl.col("len").cum_sum() - pl.col("len")
    held_out = shuffled.filter(before < settings.dev * cut.height)["top"]
    branch = pl.when(pl.col("top").is_in(held_out.implode())).then(pl.lit(DEV)).otherwise(pl.lit(TRAIN))
    return cut.select("node", "path", branch=branch)


def _queries(
    names: pl.DataFrame, nodes: pl.DataFrame, settings: BootstrapSettings
) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the queries of all nodes with their path, their branch and their split, and what was left out."""
    asked = {*(settings.languages or ()), *settings.dev_languages}
    if unknown := sorted(asked.difference(names["language"])):
        known = ", ".join(names["language"].unique().sort())
        raise RecipeError(f"there are no names in the language {unknown[0]!r}; there are names in {known}")
    if settings.languages is not None:
        names = names.filter(pl.col("language").is_in(asked))
    known_nodes = names.join(nodes, on="node", how="semi", maintain_order="left")
    made = name_queries(known_nodes, settings).join(nodes, on="node", maintain_order="left").rename({"node": "concept"})
    held_out = (pl.col("branch") == DEV) | pl.col("language").is_in(settings.dev_languages)
    split = made.with_columns(
        split=pl.when(held_out).then(pl.lit(DEV)).otherwise(pl.lit(TRAIN)), text=plain(pl.col("query"))
    )
    learned = split.filter(pl.col("split") == TRAIN)["text"].unique()
    fresh = split.filter((pl.col("split") == TRAIN) | ~pl.col("text").is_in(learned.implode())).drop("text")
    left_out = {
        "names of categories without a path in the target language": names.height - known_nodes.height,
        "dev queries that train has": made.height - fresh.height,
    }
    return fresh, Counter(left_out)


def _placed(items: pl.DataFrame, names: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Return the items whose category is a node or its path in any language, with their place in the tree."""
    localised = names.select("node", category=pl.col("path").str.to_lowercase())
    keys = [nodes.select("node", category=pl.col(key).str.to_lowercase()) for key in ("node", "path")]
    known = pl.concat([*keys, localised]).unique("category", keep="first", maintain_order=True)
    places = known.join(nodes.rename({"path": "place"}), on="node")
    written = as_written(items["category"].str.replace(r"^gid:\S*/", "")).str.to_lowercase()
    return items.with_columns(category=written).join(places, on="category", maintain_order="left").drop("category")


def _titles(items: pl.DataFrame, settings: BootstrapSettings) -> pl.DataFrame:
    """Return the titles that are queries for their category."""
    return (
        items.group_by("place", maintain_order=True)
        .head(settings.title_queries)
        .select(
            concept="node",
            language=pl.lit(settings.target_language),
            query="target",
            made_by=pl.lit("title"),
            path="place",
            branch="branch",
            split="branch",
        )
    )


def _made(task: Task, queries: pl.DataFrame, split: str, targets: pl.DataFrame, making: _Making) -> Made:
    """Return the relevant and the irrelevant pairs of one task and split; all are originals, as nobody judged any."""
    negatives, nothing = making.settings.negatives, pl.lit(None, dtype=pl.String)
    name = pl.format("{}-{}-{}", pl.lit(task), pl.lit(split), pl.int_range(pl.len()))
    weak = _weak(task, queries.filter(pl.col("split") == split), targets, making)
    weak = weak.with_columns(id=name, task=pl.lit(task), english=nothing, label=pl.col("made_by") != CONTRADICTION)
    relevant, opposed = weak.filter("label"), weak.filter(~pl.col("label"))
    known = [queries.with_columns(english=nothing, target=nothing), relevant]
    columns = ["query", "english", "concept", "target", "path"]
    guard = Guard.of(pl.concat(table.select(columns) for table in known), making.scorer, negatives.limit)
    # A title that states another value is of the query's own category, which the rules about paths would refuse.
    safe = opposed.filter(guard.refusals(opposed.with_columns(path=nothing)).is_null())
    judged = Pairs.from_frame(pl.concat([relevant, safe]).drop("path", "place"))
    shelf = Shelf.of(targets.select("target", path="place"))
    anchors = judged.filter(pl.col("made_by") != CHILD).frame
    drawn = draw_negatives(anchors, shelf, guard, negatives, making.rng, making.encoder)
    originals = Pairs(drawn.pairs.frame.with_columns(made_from=nothing))
    counts = dict(judged["made_by"].value_counts().iter_rows())
    return Made(Pairs.concat([judged, originals]), counts | drawn.counts)


def _weak(task: Task, queries: pl.DataFrame, targets: pl.DataFrame, making: _Making) -> pl.DataFrame:
    """Return the pairs that names and items make by themselves, about as many as the settings allow."""
    settings, rng = making.settings, making.rng
    if task == "QC":
        weak = category_pairs(queries, targets["target"], settings, rng)
    else:
        named = queries.filter(pl.col("language") == settings.target_language, pl.col("made_by") == "own")
        weak = pl.concat([title_pairs(queries, targets, settings, rng), attribute_pairs(named, targets, settings, rng)])
    if settings.pairs is None:
        return weak
    return weak[np.sort(rng.permutation(weak.height)[: round(settings.pairs / (1 + settings.negatives.per_positive))])]


def _shuffled(pairs: Pairs, nodes: pl.DataFrame, rng: np.random.Generator) -> Pairs:
    """Return the pairs in random order with `own:seen_branch`."""
    seen = nodes.select(node="node", seen=pl.col("branch") == TRAIN)
    node = pl.col("concept").str.replace(f" {ATTRIBUTE}.*$", "").alias("node")
    frame = pairs.frame.with_columns(node).join(seen, on="node", how="left", maintain_order="left").drop("node")
    return Pairs(frame.rename({"seen": OWN + "seen_branch"})[rng.permutation(frame.height)])
