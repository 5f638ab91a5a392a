"""Distillation: what a teacher says of pairs becomes what a student learns (Hinton, Vinyals and Dean, 2015)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, Self

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import whole_file
from shopglot.core.folds import TEST, TUNE, Folds, Mask
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold, SavableScorer, Scorer, Scores
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings
from shopglot.fold.spelling import each_once, spelling
from shopglot.format.template import Template
from shopglot.learn.embedding import EmbeddingLearner
from shopglot.learn.encoder import EncoderLearner
from shopglot.learn.settings import EmbeddingSettings, EncoderSettings
from shopglot.merge.chain import cross_fitted
from shopglot.merge.settings import MergeSettings
from shopglot.pack.distill_settings import DistillSettings, StudentSettings
from shopglot.pack.trimmed_student import TrimmedEncoderLearner, texts_of

OUT_OF_FOLD: Final = "out of fold"
LABEL: Final = "label"
UNLABELLED: Final = "unlabelled"
_TEXTS: Final = ("task", "query", "target")


@dataclass(frozen=True, eq=False, slots=True)
class TransferSet:
    """Pairs with the probability that a student learns of each, shape (rows,), and where it comes from.

    `origin` is "out of fold" for what models said that never saw the pair's label, "label" for a labelled pair that
    judged no fold, and "unlabelled" for what the teacher says of a pair whose label nobody saw.
    """

    pairs: Pairs
    probability: Scores
    origin: pl.Series

    def __post_init__(self) -> None:
        """Refuse two pairs with one id, for it would not be certain which probability is whose."""
        twice = self.pairs["id"].filter(self.pairs["id"].is_duplicated())
        if len(twice):
            raise DataError(f"two pairs to learn from have the id {twice[0]!r}; give every pair an id of its own")

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs there are of each origin."""
        return dict(self.origin.value_counts(sort=True).iter_rows())

    def save(self, path: Path) -> None:
        """Write the pairs with what is taught of each as one Parquet file."""
        said = pl.DataFrame({"probability": self.probability, "origin": self.origin})
        with whole_file(path) as part:
            pl.concat([self.pairs.frame, said], how="horizontal").write_parquet(part)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what `save` wrote."""
        table = pl.read_parquet(path)
        pairs = Pairs(table.drop("probability", "origin"))
        return cls(pairs, table["probability"].to_numpy(), table["origin"])

    def __add__(self, other: "TransferSet") -> "TransferSet":
        """Return the rows of both."""
        return TransferSet(
            Pairs.concat([self.pairs, other.pairs]),
            np.concatenate([self.probability, other.probability]),
            pl.concat([self.origin, other.origin]),
        )


def from_labelled(
    pairs: Pairs, folds: Folds, scores: OutOfFold, merge: MergeSettings, *, labels: float = 0.0
) -> TransferSet:
    """Return what the labelled training pairs teach: the teacher's calibrated blend, out of fold and cross-fitted.

    The fold's own labels decide neither the score, for its models never saw them, nor weights and calibration, which
    are those of the other folds. A pair that trains and judges no fold has no such score, and its label is all it
    teaches. Pairs of the tune and test parts teach nothing. `labels` is how much the label counts beside the teacher.
    """
    judged = cross_fitted(pairs, scores, merge)
    said = judged.pairs.frame.select("id", said=pl.Series(judged.probability))
    train = pairs.labelled.filter(folds.trains(pairs.labelled, None))
    joined = train.frame.select("id", "label").join(said, on="id", how="left", maintain_order="left")
    mixed = labels * pl.col("label") + (1 - labels) * pl.col("said")
    probability = joined.select(pl.coalesce(mixed, pl.col("label").cast(pl.Float64))).to_series().to_numpy()
    origin = joined.select(pl.when(pl.col("said").is_null()).then(pl.lit(LABEL)).otherwise(pl.lit(OUT_OF_FOLD)))
    return TransferSet(train, probability, origin.to_series().alias("origin"))


def from_unlabelled(
    candidates: Pairs, pairs: Pairs, folds: Folds, settings: FoldSettings, *, dev: Pairs, teacher: Scorer
) -> TransferSet:
    """Return what pairs without a label teach: the probability of the teacher that ships.

    `pairs` are those of the teacher's run and `dev` those it only reports on. A candidate with the text of one of
    `pairs` is left out, for the teacher may have seen its label. So are those of a group of the tune or test part and
    those of a query of `dev`, on which the student is calibrated and judged.
    """
    known = pairs.frame.select(_TEXTS)
    distinct = candidates.frame.with_columns(label=pl.lit(None, pl.Int8)).unique(
        _TEXTS, keep="first", maintain_order=True
    )
    new = Pairs(distinct.join(known, on=_TEXTS, how="anti", maintain_order="left"))
    judged = each_once(new["query"], spelling).is_in(each_once(dev["query"], spelling).unique().implode()).to_numpy()
    new = new.filter(new.readable & ~judged & ~_held_out(new, pairs, folds, settings))
    origin = pl.repeat(UNLABELLED, len(new), eager=True).alias("origin")
    return TransferSet(new, teacher.score(new), origin)


def _held_out(new: Pairs, pairs: Pairs, folds: Folds, settings: FoldSettings) -> Mask:
    """Return which new pairs share a group with a pair of the tune or test part, by any key of the folds."""
    groups = group_pairs(Pairs.concat([pairs, new]), settings)
    own, others = groups.tail(len(new)), groups.head(len(pairs))
    held = np.zeros(len(new), dtype=np.bool_)
    for key, table in folds.parts.items():
        apart = table.filter(pl.col("part").is_in([TUNE, TEST]))["group"]
        ids = folds.groups.filter(pl.col(key).is_in(apart.implode()))["id"]
        taken = others.filter(pl.col("id").is_in(ids.implode()))[key].drop_nulls().unique()
        held |= own[key].is_in(taken.implode()).fill_null(value=False).to_numpy()
    return held


class _Taught(Protocol):
    """A learner that can learn probabilities in place of labels."""

    def fit_to(self, train: Pairs, wanted: Scores, work: Path) -> SavableScorer: ...


@dataclass(frozen=True, eq=False, slots=True)
class Student:
    """A learner, with its name and its tasks, that learns a transfer set's probabilities of the pairs it is given."""

    name: str
    tasks: tuple[Task, ...]
    learner: _Taught
    lessons: TransferSet

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        """Return the scorer; raises DataError for a pair that the transfer set lacks."""
        said = self.lessons.pairs.frame.select("id", said=pl.Series(self.lessons.probability))
        wanted = train.frame.select("id").join(said, on="id", how="left", maintain_order="left")["said"]
        if wanted.null_count():
            raise DataError(f"the teacher said nothing of {wanted.null_count()} of {len(train)} pairs; leave them out")
        return self.learner.fit_to(train, wanted.to_numpy(), work)


def student_of(
    own: StudentSettings, settings: DistillSettings, template: Template, taxonomy: tuple[str, ...], lessons: TransferSet
) -> Student:
    """Return the learner that `own` names, one of the students of `settings`, to be taught by `lessons`."""
    match own:
        case EmbeddingSettings():
            learner: _Taught = EmbeddingLearner(own, template, taxonomy)
        case EncoderSettings():
            learner = EncoderLearner(own, template, settings.margin)
    return Student(own.name, own.tasks, learner, lessons)


def trimmed_student(student: Student, pairs: Sequence[Pairs], spare: int) -> Student:
    """Return the student with a cross-encoder that only has the pieces of words that `pairs` use; another as it is."""
    if not isinstance(student.learner, EncoderLearner):
        return student
    learner = TrimmedEncoderLearner(student.learner, texts_of(pairs, student.learner), spare)
    return replace(student, learner=learner)
