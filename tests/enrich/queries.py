"""Queries that no shop expects and every one gets, draws, and a translator."""

from typing import Any

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.enrich.draw import Draws

STRANGE = (
    "",
    " ",
    "a",
    "ガ",
    "ー",
    "각",
    "ไ",
    "😀",
    "😀 👨‍👩‍👧‍👦",
    "\x00\x01\x1f",
    "a\u0301\u0301\u0301 é",
    "  two   spaces  ",
    "tea\tpot\nlid",
    "abc ひらカタ漢字 한국어 ไทย عربي עברית русский देवनागरी 123",
    "x" * 10_000,
    "ab " * 3_333,
    "12 34",
    "𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝔟𝔬𝔬𝔨",
    "\u202eright to left",
)


def pairs(queries: list[str], **columns: Any) -> Pairs:
    """Return labelled pairs with these queries, all relevant to pots; each of `columns` holds for all of them."""
    plain = {"task": "QC", "target": "home,kitchen,pots", "label": 1, "language": "en", **columns}
    return (
        Pairs.of([]) if not queries else Pairs.from_frame(pl.DataFrame([plain | {"query": each} for each in queries]))
    )


def some_draws(count: int) -> Draws:
    """Return three numbers per row."""
    return np.random.default_rng(0).random((count, 3))


def marked(table: pl.DataFrame) -> pl.Series:
    """Translate by a mark of both languages behind the text; what holds "unknown" has no translation."""
    text = pl.format("{} {}{}.", "text", "source", "target")
    return table.select(pl.when(~pl.col("text").str.contains("unknown")).then(text)).to_series()
