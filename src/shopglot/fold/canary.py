"""The leakage canary: a learner that knows nothing but what it has seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.fold.spelling import spelling

_KINDS: Final = ("query", "english", "target", "concept")
_FILE: Final = "memory.parquet"


@dataclass(frozen=True, slots=True)
class MemorisingLearner:
    """Remembers the labels that each query, English query, target and concept had, in any spelling.

    Of what the folds keep apart it knows nothing when it judges; if that is all there is to know, it scores every
    pair alike and can do no better than to call all of them relevant.
    """

    name: str = "memory"

    def fit(self, train: Pairs, work: Path) -> "Memory":
        """Return the memory of the labelled pairs of `train`; `work` stays as it is."""
        seen = (
            _texts(train.labelled, kind)
            .with_columns(train.labelled["label"])
            .drop_nulls()
            .group_by("kind", "text")
            .agg(relevant=pl.col("label").cast(pl.Int64).sum(), pairs=pl.len())
            for kind in _KINDS
        )
        return Memory(pl.concat(seen))


@dataclass(frozen=True, eq=False, slots=True)
class Memory:
    """What was seen: per `kind` of text and `text`, how many `pairs` had it and how many of them were `relevant`."""

    seen: pl.DataFrame

    def score(self, pairs: Pairs) -> Scores:
        """Return the mean label of all that shared a text with the pair; where nothing did, that of all pairs."""
        recalled = pl.concat(
            _texts(pairs, kind).with_row_index("row").join(self.seen, on=["kind", "text"]) for kind in _KINDS
        )
        means = recalled.group_by("row").agg(mean=pl.col("relevant").sum() / pl.col("pairs").sum())
        rows = pl.DataFrame({"row": pl.int_range(len(pairs), dtype=pl.UInt32, eager=True)})
        scores = rows.join(means, on="row", how="left", maintain_order="left")["mean"]
        by_target = self.seen.filter(pl.col("kind") == "target")  # which every pair has
        overall = by_target.select(pl.col("relevant").sum() / pl.col("pairs").sum()).item()
        return scores.fill_null(overall).to_numpy()

    def save(self, folder: Path) -> None:
        """Write the memory into `folder`."""
        self.seen.write_parquet(folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the memory that `save` wrote."""
        return cls(pl.read_parquet(folder / _FILE))


def _texts(pairs: Pairs, kind: str) -> pl.DataFrame:
    return pairs.frame.select(kind=pl.lit(kind), text=spelling(pl.col(kind)))
