"""Rows that say the same twice, or the opposite of each other."""

from typing import Final

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings

_TEXTS: Final = ("task", "query", "target")
_ACCENTS: Final = r"[\u0300-\u036f]"  # not all marks: those of Thai or Japanese make another word
_NEITHER_LETTER_NOR_DIGIT: Final = r"[^\p{L}\p{M}\p{N}]"


def settle_duplicates(pairs: Pairs, settings: CurateSettings) -> tuple[Pairs, dict[str, int]]:
    """Return clean pairs as the policies of `settings` leave them, and the counts of the rows concerned.

    Of duplicates the first row stays, with the weight of all. Near duplicates differ only in spaces, punctuation and
    accents. Contradictions are labelled rows of one task, query and target whose labels differ; "majority" keeps
    those with the heavier label, and none in a tie. All counts but "contradictory" are of rows dropped.

    >>> from shopglot.core.pair import Pair
    >>> twice = Pairs.of([Pair(task="QI", query="tea", target="Green Tea", label=1)] * 2)
    >>> kept, counts = settle_duplicates(twice, CurateSettings())
    >>> kept["weight"].to_list(), counts["duplicates"]
    ([2.0], 1)
    """
    frame, counts = pairs.frame, {}
    if settings.duplicates == "drop":
        frame = _firsts(frame, [pl.col(name) for name in _TEXTS])
        counts["duplicates"] = len(pairs) - frame.height
    if settings.near_duplicates == "drop":
        before = frame.height
        frame = _firsts(frame, [pl.col("task"), _folded("query"), _folded("target")])
        counts["near duplicates"] = before - frame.height
    agreed, counts["contradictory"] = _agreed(frame, settings)
    counts["contradictory dropped"] = frame.height - agreed.height
    return Pairs(agreed), counts


def _firsts(frame: pl.DataFrame, texts: list[pl.Expr]) -> pl.DataFrame:
    numbered = frame.select(*texts, "label", "weight").with_row_index("row")
    groups = numbered.group_by(pl.exclude("row", "weight")).agg(pl.col("row").min(), pl.col("weight").sum()).sort("row")
    return frame[groups["row"]].with_columns(groups["weight"])


def _folded(column: str) -> pl.Expr:
    """The text without what near duplicates differ in, or the text itself where nothing else is left."""
    text = pl.col(column)
    plain = text.str.normalize("NFD").str.replace_all(_ACCENTS, "").str.normalize("NFC")
    bare = plain.str.replace_all(_NEITHER_LETTER_NOR_DIGIT, "")
    return pl.when(bare == "").then(text).otherwise(bare).alias(column)


def _agreed(frame: pl.DataFrame, settings: CurateSettings) -> tuple[pl.DataFrame, int]:
    """Return the rows that the policy for contradictions leaves, and how many rows contradict another."""
    label, sign = pl.col("label"), 2 * pl.col("label") - 1
    groups = frame.lazy().filter(label.is_not_null()).group_by(_TEXTS)
    lead = groups.agg(both=label.min() != label.max(), lead=(pl.col("weight") * sign).sum()).collect()
    disputed = lead.filter("both").drop("both")
    rows = frame.join(disputed, on=_TEXTS, how="left", maintain_order="left")
    contradictory = label.is_not_null() & pl.col("lead").is_not_null()
    count = rows.select(contradictory.sum()).item()
    match settings.contradictions:
        case "keep":
            return frame, count
        case "drop":
            kept = ~contradictory
        case "majority":
            kept = ~contradictory | (pl.col("lead") * sign > 0)
    return rows.filter(kept).drop("lead"), count
