"""Judged pairs out of thin air in every reading, and what is known of their translations."""

import polars as pl

from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.enrich.readings import READINGS, Reading
from tests.report.made_up import both_tasks

SKILL: dict[Reading, float] = {"original": 0.8, "english": 1.2, "both": 1.6, "other": 0.4}
KEYS = ["language", "query", "english"]


def judged() -> dict[Reading, Judged]:
    """Every third query is English and has no translation; what is read decides how well it is judged."""
    plain = both_tasks("dev").pairs.frame
    english = pl.when(pl.col("language") != "en").then(pl.format("english of {}", "query"))
    pairs = Pairs(plain.with_columns(english=english))
    found = {}
    for reading in READINGS:
        own = both_tasks("dev", skill=SKILL[reading])
        found[reading] = Judged("dev", pairs, own.probability, own.decision)
    return found


def quality(both: Judged) -> pl.DataFrame:
    """The agreement rises with the number of the query, and is far higher in French."""
    distinct = both.pairs.frame.filter(both.pairs.translated).group_by(KEYS).agg(pairs=pl.len()).sort(KEYS)
    number = pl.col("query").str.extract(r"(\d+)").cast(pl.Float64) / 200
    return distinct.with_columns(
        agreement=number + pl.when(pl.col("language") == "fr").then(0.5).otherwise(0.1),
        by_chance=pl.when(pl.col("language") == "fr").then(0.0).otherwise(1.0),
        round_trip=pl.lit(None, dtype=pl.Float64),
    )
