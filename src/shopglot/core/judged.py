"""Labelled pairs with the probability and the decision they got: what every report reads."""

from dataclasses import dataclass

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """Labelled pairs as a model judged them, without having learned from their labels.

    `name` says which evidence this is, such as "out-of-fold", "dev" or "test". `probability` is the calibrated
    P(relevant) and `decision` whether the pair counts as relevant, both of shape (rows,) in the order of `pairs`.
    `fold` is the fold each row judged, or None where the rows belong to no fold.
    """

    name: str
    pairs: Pairs
    probability: Scores
    decision: Mask
    fold: pl.Series | None = None

    def __post_init__(self) -> None:
        """Refuse columns of another length than the pairs, and pairs without a label."""
        lengths = {"probability": self.probability.shape, "decision": self.decision.shape}
        if self.fold is not None:
            lengths["fold"] = (len(self.fold),)
        wrong = [f"{name} has shape {shape}" for name, shape in lengths.items() if shape != (len(self.pairs),)]
        if wrong:
            raise DataError(f"{self.name!r} judges {len(self.pairs)} pairs, but {' and '.join(wrong)}")
        if self.pairs["label"].null_count():
            raise DataError(f"{self.name!r} has pairs without a label, which nothing can be judged by")

    def where(self, rows: Mask) -> "Judged":
        """Return the rows for which the mask is true."""
        fold = None if self.fold is None else self.fold.filter(pl.Series(rows))
        return Judged(self.name, self.pairs.filter(rows), self.probability[rows], self.decision[rows], fold)
