"""Category paths as another catalogue might cut them: without their top, or without a level in between."""

import polars as pl

from shopglot.core.category import levels
from shopglot.enrich.draw import Draws


def path_suffixes(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Return the rows with the end of their category path, from the second level on or deeper, always with the leaf.

    The target is null in task QI and for a path of one level.
    """
    path, depth = _path()
    kept = (pl.lit(pl.Series(draws[:, 0])) * (depth - 1)).floor().cast(pl.Int64) + 1
    return rows.with_columns(target=pl.when(depth > 1).then(path.list.tail(kept).list.join(",")))


def path_drops(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Return the rows with a category path that lacks one level between the top and the leaf.

    The target is null in task QI and for a path of fewer than three levels.
    """
    path, depth = _path()
    dropped = (pl.lit(pl.Series(draws[:, 0])) * (depth - 2)).floor().cast(pl.Int64) + 1
    kept = pl.concat_list(path.list.head(dropped), path.list.tail(depth - 1 - dropped))
    return rows.with_columns(target=pl.when(depth > 2).then(kept.list.join(",")))  # noqa: PLR2004


def _path() -> tuple[pl.Expr, pl.Expr]:
    path = levels(pl.when(pl.col("task") == "QC").then("target"))
    return path, path.list.len().cast(pl.Int64)
