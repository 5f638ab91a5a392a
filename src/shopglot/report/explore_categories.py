"""The tree that category paths form, and what stands in some files and not in others."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from shopglot.core.category import levels
from shopglot.core.pair import Task
from shopglot.report.exploration import Branch, Depth, Level, Side, Tree, Unseen
from shopglot.report.explore_texts import LABELS, SUMS, ratio

_EXAMPLES: Final = 20
_BRANCHES: Final = 40


def tree(rows: pl.DataFrame) -> Tree:
    """Return depth and breadth of the tree that the pairs' paths form, and its top levels with the most pairs."""
    counted = rows.group_by("target").agg(**LABELS).with_columns(names=levels(pl.col("target")))
    paths = counted.with_columns(depth=pl.col("names").list.len(), name=pl.col("names").list.first())
    of_paths = [pl.len().alias("paths"), *SUMS]
    share = {"relevant_share": ratio("relevant", "labelled")}
    whole = {f"{name}_share": pl.col(name) / pl.col(name).sum() for name in ("paths", "pairs")}
    depths = paths.group_by("depth").agg(of_paths).sort("depth").with_columns(**share, **whole)
    branches = paths.group_by("name").agg(of_paths).sort("pairs", "name", descending=[True, False]).head(_BRANCHES)
    return Tree(
        depths=tuple(Depth.model_validate(row) for row in depths.to_dicts()),
        levels=tuple(_levels(paths["names"])),
        branches=tuple(Branch.model_validate(row) for row in branches.with_columns(**share).to_dicts()),
    )


def _levels(names: pl.Series) -> Iterator[Level]:
    """Yield the breadth of each level; a node is a parent where some path goes on below it."""
    path = pl.col("names")
    table = names.to_frame("names")
    for level in range(1, 1 + int(table.select(path.list.len().max()).item())):
        reached = table.filter(path.list.len() >= level)
        below = pl.when(path.list.len() > level).then(_prefix(path, level + 1))
        nodes = reached.group_by(node=_prefix(path, level)).agg(children=below.drop_nulls().n_unique())["children"]
        parents = nodes.filter(nodes > 0)
        yield Level(
            level=level,
            nodes=nodes.len(),
            parents=parents.len(),
            mean_children=parents.sum() / parents.len() if parents.len() else None,
            most_children=int(nodes.to_numpy().max()),
        )


def unseen(task: Task, rows: pl.DataFrame, others: pl.DataFrame) -> Iterator[Unseen]:
    """Yield which languages, queries and targets of each side the other lacks; of paths also the levels above."""
    target = "path" if task == "QC" else "title"
    for what, column in {"language": "language", "query": "query", target: "target"}.items():
        sides = [side.group_by(value=column).agg(pairs=pl.len()) for side in (rows, others)]
        yield from _both_ways(what, *sides)
        for name, depth in _UPPER.items() if what == "path" else ():
            prefix = _prefix(levels(pl.col("value")), depth)
            yield from _both_ways(name, *(side.group_by(value=prefix).agg(pl.col("pairs").sum()) for side in sides))


_UPPER: Final = {"first two levels": 2, "top level": 1}


def _both_ways(what: str, ours: pl.DataFrame, theirs: pl.DataFrame) -> Iterator[Unseen]:
    sides: tuple[tuple[Side, pl.DataFrame, pl.DataFrame], ...] = (("files", ours, theirs), ("against", theirs, ours))
    for where, here, there in sides:
        new = here.join(there, on="value", how="anti").sort("pairs", "value", descending=[True, False])
        values, pairs, new_pairs = here.height, int(here["pairs"].sum()), int(new["pairs"].sum())
        yield Unseen(
            what=what,
            where=where,
            values=values,
            unseen=new.height,
            unseen_share=new.height / values,
            pairs=pairs,
            unseen_pairs=new_pairs,
            unseen_pairs_share=new_pairs / pairs,
            examples=tuple(new["value"].head(_EXAMPLES)),
        )


def _prefix(names: pl.Expr, depth: int) -> pl.Expr:
    return names.list.head(depth).list.join(",")
