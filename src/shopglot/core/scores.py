"""What gives scores, and the only scores that may be learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs

Scores = NDArray[np.float64]
"""P(relevant) per row, shape (rows,), each in [0, 1]."""


class Scorer(Protocol):
    """A model, an ensemble, a session, a cascade, a test double: what maps pairs to P(relevant).

    The score of a pair depends on that pair alone, never on the other rows it is scored with.
    """

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) in the order of the rows."""
        ...


class SavableScorer(Scorer, Protocol):
    """A scorer that can be written to a folder and read back."""

    def save(self, folder: Path) -> None:
        """Write the scorer into `folder`, without pickle; the folder exists and is empty."""
        ...


class Learner(Protocol):
    """A recipe that becomes a scorer. It is never shown the fold it is judged on."""

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        ...

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores; it may learn from pairs of others too."""
        ...

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        """Return a scorer learned from labelled pairs; `work` is its own folder for checkpoints, to resume from."""
        ...


class Encoder(Protocol):
    """Texts to vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions)."""
        ...


_SCHEMA: Final = pl.Schema({"id": pl.String(), "model": pl.String(), "fold": pl.String(), "score": pl.Float64()})


@dataclass(frozen=True, eq=False, slots=True)
class OutOfFold:
    """Scores given by models that never saw the pair nor its relatives.

    The only thing that calibration, thresholds, weights, students and noise audits may learn from.
    Columns: id, model, fold, score; one row per pair and model.
    """

    frame: pl.DataFrame

    def __post_init__(self) -> None:
        """Refuse scores that are missing, outside [0, 1] or given twice."""
        if self.frame.schema != _SCHEMA:
            raise DataError(f"out-of-fold scores have the columns {dict(_SCHEMA)}, not {dict(self.frame.schema)}")
        score = self.frame["score"]
        if score.null_count() or not score.is_between(0.0, 1.0).all():
            raise DataError("an out-of-fold score is missing, NaN or outside [0, 1]; fit the models again")
        twice = self.frame.filter(pl.struct("id", "model").is_duplicated())
        if twice.height:
            raise DataError(
                f"pair {twice['id'][0]!r} has two out-of-fold scores of {twice['model'][0]!r}; ids must be unique"
            )

    @classmethod
    def of(cls, pairs: Pairs, scores: Scores, *, model: str, fold: str) -> Self:
        """Return the scores that `model`, trained without `fold`, gave to `pairs`."""
        columns = [pairs["id"], pl.lit(model).alias("model"), pl.lit(fold).alias("fold"), pl.Series("score", scores)]
        return cls(pl.select(columns).cast(_SCHEMA))

    @classmethod
    def concat(cls, parts: Sequence["OutOfFold"]) -> Self:
        """Return the scores of all parts together."""
        return cls(pl.concat([part.frame for part in parts]) if parts else _SCHEMA.to_frame())

    @property
    def models(self) -> tuple[str, ...]:
        """The models that gave scores, in the order of their first row."""
        return tuple(self.frame["model"].unique(maintain_order=True).to_list())

    def judged(self, pairs: Pairs) -> Pairs:
        """Return the pairs that every model has scored out of fold."""
        complete = self.frame.group_by("id").len().filter(pl.col("len") == len(self.models))["id"]
        return pairs.filter(pl.col("id").is_in(complete.implode()))

    def scores(self, pairs: Pairs, model: str) -> Scores:
        """Return the scores of `model` in the order of `pairs`; raises DataError where one is missing."""
        own = self.frame.filter(pl.col("model") == model).select("id", "score")
        column = pairs.frame.select("id").join(own, on="id", how="left", maintain_order="left")["score"]
        if column.null_count():
            raise DataError(f"{column.null_count()} of {len(pairs)} pairs have no out-of-fold score of {model!r}")
        return column.to_numpy()

    def folds(self, pairs: Pairs) -> pl.Series:
        """Return the fold that each of `pairs` judged, in their order."""
        one = self.frame.select("id", "fold").unique("id")
        return pairs.frame.select("id").join(one, on="id", how="left", maintain_order="left")["fold"]
