"""Review files as `shopglot audit` writes them, small ones."""

from pathlib import Path

import polars as pl

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.report.audit import REVIEW

QUERIES = ("green tea", "شاي أخضر", "緑茶", "hundebett", 'té, "verde"\nfrío', "=2+3", "chá verde", "teapot")


def suspects(rows: int = 8) -> Pairs:
    """Return labelled pairs in several scripts, of both tasks."""
    languages = ("en", "ar", "ja", "de", "es", "en", "pt", "en")
    return Pairs.of(
        Pair(
            task="QI" if n % 4 == 3 else "QC",
            id=f"{'QI' if n % 4 == 3 else 'QC'}-{n}",
            query=QUERIES[n % 8] + ("" if n < 8 else f" {n}"),
            english="green tea" if n % 8 in (1, 2) else None,
            language=languages[n % 8],
            target="Orthopedic Dog Bed, Large" if n % 4 == 3 else "food, drinks,tea,green tea",
            label=n % 2,
        )
        for n in range(rows)
    )


def review_file(path: Path, pairs: Pairs | None = None) -> Path:
    """Write the review file of the pairs, in their order, and return where it is."""
    frame = (suspects() if pairs is None else pairs).frame
    row = pl.int_range(pl.len())
    frame.with_columns(
        suggested=1 - pl.col("label"),
        probability=((row + 1) / (2 * pl.len())).round(4),
        reasons=pl.format("the models give label {} a probability of 0.1; QC-9 has the same query and target", "label"),
        action=pl.lit(None, dtype=pl.String),
    ).select(REVIEW).write_csv(path, include_bom=True)
    return path
