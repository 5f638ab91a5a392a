"""An exploration of the made-up shop, with something of every kind in it."""

from typing import Any

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.report.exploration import Exploration
from shopglot.report.explore import distinct_texts, explore_pairs
from shopglot.report.explore_origin import Origin, Reason
from tests import shop

ORIGIN = Origin(
    files=("data/train_QC.txt", "data/train_QI.txt"),
    against=("data/dev_QC.txt",),
    rows=501,
    left_out=(Reason(reason="not valid JSON", rows=17, first="data/train_QC.txt line 8"),),
    corrected=True,
    tokenizer="embedded:toy",
    simulated=True,
)


def exploration(**changes: Any) -> Exploration:
    """Explore the made-up shop against another draw of it; 30 queries are named Korean, and one pair contradicts."""
    frame = shop.pairs(500).frame
    twice = frame.head(1).with_columns(label=1 - pl.col("label"), id=pl.lit("twin"))
    pairs = Pairs.from_frame(pl.concat([frame, twice]).with_columns(**changes))
    named = pl.concat([pl.Series(["ko"] * 30), pairs["language"].slice(30)])
    texts = distinct_texts(pairs)
    tokens = pl.DataFrame({"text": texts, "tokens": texts.str.len_chars()})
    return explore_pairs(pairs, named, ORIGIN, against=shop.pairs(300, seed=6), tokens=tokens)
