"""A simulated table, and where its pairs were dealt."""

import numpy as np
import polars as pl

from shopglot.core.folds import Folds
from shopglot.core.pairs import Pairs


def table(rows: int, seed: int) -> Pairs:
    """Return QC pairs with a few much-judged queries, six languages and ten main categories."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.pareto(1.5, rows) * 2, rows / 30).astype(int)
    query = np.repeat(np.arange(rows), sizes)[:rows]
    frame = pl.DataFrame({"query": query, "target": rng.integers(0, 10, rows)}).select(
        pl.lit("QC").alias("task"),
        pl.format("query {}", "query").alias("query"),
        pl.format("top {},leaf", "target").alias("target"),
        language=pl.format("l{}", pl.Series(rng.integers(0, 6, rows)[query])),
        label=pl.Series(rng.random(rows) < rng.beta(4, 2, rows)[query]),
    )
    return Pairs.from_frame(frame)


def parts(folds: Folds, ids: pl.Series) -> pl.DataFrame:
    """Return the part of every key for the pairs with these ids."""
    rows = ids.to_frame().join(folds.groups, on="id", how="left", maintain_order="left")
    for key, table in folds.parts.items():
        rows = rows.join(
            table.rename({"group": key, "part": f"part by {key}"}), on=key, how="left", maintain_order="left"
        )
    return rows.select("id", "^part by .*$")
