"""Labels that cannot all be right: of one query beside one target, or beside a category and one above it."""

from typing import Final

import polars as pl

from shopglot.core.category import levels
from shopglot.core.pairs import Pairs
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings
from shopglot.fold.spelling import each_once, spelling

KINDS: Final = ("twin", "child", "parent")
_PLACE: Final = ["task", "group", "place"]
_BY_QUERY: Final = FoldSettings(qc="query", qi="query")
_RELEVANT: Final = pl.col("label") == 1
_IRRELEVANT: Final = pl.col("label") == 0


def votes(pairs: Pairs) -> pl.DataFrame:
    """Return what the labels of related rows say of each row, in the order of `pairs`.

    Rows are related when their queries are one group, that is spellings or translations of each other. Twins have the
    same target too, and vote as they are labelled. A category that answers a query lies in others that answer it too:
    a child, whose category lies below the row's own, votes for relevant where it is, and a parent, whose category lies
    above, for irrelevant where it is; the other children and parents abstain.

    The columns are `for_relevant` and `for_irrelevant`, the number of votes, and `twin`, `child` and `parent`: the id
    of one such row, the first in alphabetical order, that votes against the row's own label, else null.

    >>> from shopglot.core.pair import Pair
    >>> shelf = Pair(task="QC", query="tea pot", target="home,tea", label=0)
    >>> leaf = Pair(task="QC", query="Teapot", target="home,tea,pots", label=1)
    >>> votes(Pairs.of([shelf, leaf])).rows()
    [(1, 0, None, '1', None), (0, 1, None, None, '0')]
    """
    rows = _placed(pairs)
    places = rows.group_by(_PLACE).agg(
        relevant=_RELEVANT.sum().cast(pl.Int64),
        irrelevant=_IRRELEVANT.sum().cast(pl.Int64),
        a_relevant=pl.col("id").filter(_RELEVANT).min(),
        an_irrelevant=pl.col("id").filter(_IRRELEVANT).min(),
    )
    above = _ancestors(places)
    children = above.group_by(_PLACE).agg(below=pl.col("relevant").sum(), child=pl.col("a_relevant").min())
    parents = (
        above.select(*_PLACE, "under")
        .join(places, on=_PLACE)
        .group_by("task", "group", place="under")
        .agg(over=pl.col("irrelevant").sum(), parent=pl.col("an_irrelevant").min())
    )
    for table in (places, children, parents):
        rows = rows.join(table, on=_PLACE, how="left", maintain_order="left")
    own = pl.col("label").fill_null(-1)
    return rows.select(
        for_relevant=pl.col("relevant") - (own == 1).cast(pl.Int64) + pl.col("below").fill_null(0),
        for_irrelevant=pl.col("irrelevant") - (own == 0).cast(pl.Int64) + pl.col("over").fill_null(0),
        twin=pl.when(own == 1).then("an_irrelevant").when(own == 0).then("a_relevant"),
        child=pl.when(own == 0).then("child"),
        parent=pl.when(own == 1).then("parent"),
    )


def _placed(pairs: Pairs) -> pl.DataFrame:
    """Return the rows with their query's group and their `place` in it: the path, or the title in one spelling."""
    frame = pairs.frame.select("id", "task", "label", "target")
    title = each_once(frame.select(pl.when(pl.col("task") == "QI").then("target")).to_series(), spelling)
    group = group_pairs(pairs, _BY_QUERY)["query"]
    return frame.with_columns(group=group, place=pl.coalesce(title, pl.col("target").str.to_lowercase()))


def _ancestors(places: pl.DataFrame) -> pl.DataFrame:
    """Return each place once for every category above it: the `place` above, and the one `under` it."""
    paths = places.filter(pl.col("task") == "QC").with_columns(names=levels(pl.col("place")))
    each = paths.with_columns(depth=pl.int_ranges(1, pl.col("names").list.len())).explode("depth").drop_nulls("depth")
    above = pl.col("names").list.head("depth").list.join(",")
    return each.with_columns(under="place", place=above).drop("names", "depth")
