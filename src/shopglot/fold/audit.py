"""Near duplicates across folds, which no key joins."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pairs import Pairs
from shopglot.fold.group import subtree
from shopglot.fold.near import near_twins
from shopglot.fold.settings import FoldSettings
from shopglot.fold.spelling import sorted_words

_SCHEMA: Final = pl.Schema(
    {
        "key": pl.String(),
        "part": pl.String(),
        "id": pl.String(),
        "text": pl.String(),
        "twin": pl.String(),
        "similarity": pl.Float64(),
    }
)


@dataclass(frozen=True, eq=False, slots=True)
class Audit:
    """Which judged pairs have a near twin in training.

    `looked_at` has one row per key, part and pair that judges it: `key`, `part`, `id`, the `text` of the key, and the
    most similar `twin` among the texts that train the model the part judges, with its `similarity`; the last two are
    null for a pair without a near twin.
    """

    looked_at: pl.DataFrame
    limit: float

    @property
    def shares(self) -> pl.DataFrame:
        """The share of pairs with a near twin, per `key` and `part`, with the number of `pairs` looked at."""
        return self.looked_at.group_by("key", "part", maintain_order=True).agg(
            pl.len().alias("pairs"), share=pl.col("twin").is_not_null().mean()
        )

    @property
    def examples(self) -> pl.DataFrame:
        """The pairs with a near twin, the most similar ones first."""
        return self.looked_at.drop_nulls("twin").sort(
            "similarity", "key", "part", "id", descending=[True, *[False] * 3]
        )

    def check(self) -> None:
        """Raise DataError when, by some key, more than the allowed share of the judged pairs has a near twin."""
        shares = self.looked_at.group_by("key", maintain_order=True).agg(pl.col("twin").is_not_null().mean())
        for key, share in shares.filter(pl.col("twin") > self.limit).rows():
            pair = self.examples.filter(pl.col("key") == key)["id"][0]
            raise DataError(
                f"{share:.1%} of the judged pairs, such as {pair!r}, have a near twin in training by their {key}; "
                "give twins the same concept or path, or raise near_duplicate_limit"
            )


def audit(pairs: Pairs, folds: Folds, settings: FoldSettings, seed: int) -> Audit:
    """Look for pairs that judge a part and have a near twin among those that train the model it judges.

    Only what the keys promise to keep apart is looked at: queries, subtrees, and titles where they are a key. Words
    count in any order; translations cannot be found this way. Of the distinct texts that judge, at most
    `near_duplicate_texts` are looked at, drawn by `seed`.
    """
    subtrees = pl.when(pl.col("task") == "QC").then(subtree(pl.col("target"), settings.category_levels))
    texts = {"query": pl.col("query"), "category": subtrees.otherwise("target")}
    rows = pairs.frame.select("id", "made_from", **{key: sorted_words(text) for key, text in texts.items()})
    fold_of = {part: part if part in folds.names else None for part in (*folds.names, TUNE, TEST)}
    judging = pl.concat(rows.filter(folds.judges(pairs, part)).with_columns(part=pl.lit(part)) for part in fold_of)
    training = pl.concat(
        rows.filter(folds.trains(pairs, fold)).with_columns(part=pl.lit(part)) for part, fold in fold_of.items()
    )
    found = [_SCHEMA.to_frame()]
    for key in (key for key in texts if key in folds.parts):
        judged, trained = (_keyed(side, folds, key) for side in (judging, training))
        found.append(
            with_twins(judged, trained, settings, seed).select(pl.lit(key).alias("key"), pl.col(*_SCHEMA.names()[1:]))
        )
    return Audit(pl.concat(found), settings.near_duplicate_limit)


def _keyed(side: pl.DataFrame, folds: Folds, key: str) -> pl.DataFrame:
    """Return `part`, `id` and `text` of the rows that the key applies to."""
    ids = folds.groups.drop_nulls(key)["id"]
    return side.filter(pl.coalesce("made_from", "id").is_in(ids.implode())).select("part", "id", text=key)


def with_twins(judging: pl.DataFrame, training: pl.DataFrame, settings: FoldSettings, seed: int) -> pl.DataFrame:
    """Return the judging rows that are looked at, with the twin that the training rows of their part hold."""
    distinct = judging["text"].unique().sort()
    sampled = distinct.sample(min(len(distinct), settings.near_duplicate_texts), seed=seed)
    near = near_twins(sampled, training["text"].unique(), settings.near_duplicate_similarity)
    trained = near.join(training.select("part", twin="text").unique(), on="twin", maintain_order="left")
    nearest = trained.unique(["text", "part"], keep="first", maintain_order=True)
    looked_at = judging.filter(pl.col("text").is_in(sampled.implode()))
    return looked_at.join(nearest, on=["text", "part"], how="left", maintain_order="left")
