from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold, Scores
from shopglot.fold.deal import deal
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings
from shopglot.merge.settings import MergeSettings
from shopglot.pack.distill import LABEL, OUT_OF_FOLD, UNLABELLED, Student, TransferSet, from_labelled, from_unlabelled
from tests import shop
from tests.learn.doubles import Constant
from tests.strategies import pairs_tables

FOLDS = FoldSettings(folds=2, tune=0.15, test=0.15, qc="both", qi="query")
TEXTS = ("task", "query", "target")


def remembered(pairs: Pairs, folds: Folds) -> OutOfFold:
    """Return the scores of models that know the labels they were trained on, and of all other pairs nothing."""
    parts = []
    for fold in folds.names:
        known = dict(pairs.filter(folds.trains(pairs, fold)).frame.select("id", "label").iter_rows())
        judged = pairs.filter(folds.judges(pairs, fold))
        scores = np.array([{None: 0.5, 0: 0.01, 1: 0.99}[known.get(name)] for name in judged["id"]])
        parts.append(OutOfFold.of(judged, scores, model="memory", fold=fold))
    return OutOfFold.concat(parts)


def dealt(pairs: Pairs, seed: int) -> Folds:
    try:
        return deal(pairs, FOLDS, seed)
    except DataError:
        reject()  # too few pairs for all parts


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """A teacher that finds everything likely, and keeps what it was asked."""

    pairs: list[Pairs] = field(default_factory=list)

    def score(self, pairs: Pairs) -> Scores:
        self.pairs.append(pairs)
        return np.full(len(pairs), 0.8)


@dataclass(frozen=True, eq=False, slots=True)
class Keeping:
    """Learns nothing, and keeps what it was taught."""

    taught: list[Scores] = field(default_factory=list)

    def fit_to(self, train: Pairs, wanted: Scores, work: Path) -> Constant:
        self.taught.append(wanted)
        return Constant(0.5)


@settings(max_examples=8, phases=[Phase.generate])
@given(pairs_tables(made=True), st.integers(0, 50))
def test_no_score_of_a_model_that_saw_the_pair_is_taught(table: Pairs, seed: int) -> None:
    labelled = table.labelled
    pairs = labelled.filter(pl.col("made_from").is_null() | pl.col("made_from").is_in(labelled["id"].implode()))
    folds = dealt(pairs, seed)
    as_they_are = MergeSettings(blend="mean", calibration="none")
    try:
        lessons = from_labelled(pairs, folds, remembered(pairs, folds), as_they_are)
    except DataError:
        reject()  # a fold of one class
    trained = pairs.filter(folds.trains(pairs, None))
    judged = trained.filter(np.any([folds.judges(trained, fold) for fold in folds.names], axis=0))
    assert set(lessons.pairs["id"]) == set(trained["id"])
    own = (lessons.origin == OUT_OF_FOLD).to_numpy()
    assert set(lessons.pairs.filter(own)["id"]) == set(judged["id"])
    assert set(lessons.probability[own]) <= {0.5}  # nobody remembers one of them
    assert np.array_equal(lessons.probability[~own], lessons.pairs.filter(~own).labels)


@settings(max_examples=8, phases=[Phase.generate])
@given(pairs_tables(), pairs_tables(), st.integers(0, 50))
def test_the_teacher_that_ships_is_asked_of_no_pair_it_saw_and_of_none_the_student_is_judged_on(
    table: Pairs, others: Pairs, seed: int
) -> None:
    pairs = table.labelled
    folds = dealt(pairs, seed)
    dev = others.filter(pl.int_range(pl.len()) < 10)
    fresh = Pairs(others.frame.with_columns(id="new " + pl.col("id")))
    teacher = Asked()
    lessons = from_unlabelled(Pairs.concat([fresh, pairs]), pairs, folds, FOLDS, dev=dev, teacher=teacher)
    (asked,) = teacher.pairs
    assert asked["id"].to_list() == lessons.pairs["id"].to_list()
    assert asked["label"].null_count() == len(asked)
    assert not asked.frame.join(pairs.frame, on=TEXTS, how="semi").height
    assert not set(asked["query"]) & set(dev["query"])
    groups = group_pairs(Pairs.concat([pairs, asked]), FOLDS)
    held = pairs.filter(folds.judges(pairs, TUNE) | folds.judges(pairs, TEST))["id"]
    for key in folds.parts:
        apart = groups.filter(pl.col("id").is_in(held.implode()))[key].drop_nulls()
        assert not set(apart) & set(groups.tail(len(asked))[key].drop_nulls())
    assert lessons.counts == ({UNLABELLED: len(asked)} if len(asked) else {})


def test_unlabelled_pairs_of_the_training_groups_are_taught() -> None:
    pairs = Pairs.from_frame(
        pl.DataFrame(
            [{"id": f"p{n}", "task": "QI", "query": f"q {n}", "target": "t", "label": n % 2} for n in range(200)]
        )
    )
    folds = deal(pairs, FOLDS, 0)
    trained = pairs.filter(folds.trains(pairs, None))
    others = Pairs(pairs.frame.with_columns(id="new " + pl.col("id"), target=pl.lit("another")))
    lessons = from_unlabelled(others, pairs, folds, FOLDS, dev=Pairs.concat([]), teacher=Asked())
    assert lessons.pairs["query"].to_list() == trained["query"].to_list()


def test_the_label_counts_as_much_as_is_said() -> None:
    rows = [{"id": str(n), "task": "QI", "query": f"q {n}", "target": "t", "label": n % 2} for n in range(200)]
    pairs = Pairs.from_frame(pl.DataFrame(rows))
    folds = deal(pairs, FOLDS, 0)
    scores = remembered(pairs, folds)
    soft, mixed, hard = (from_labelled(pairs, folds, scores, MergeSettings(), labels=share) for share in (0, 0.25, 1))
    assert mixed.probability == pytest.approx(0.75 * soft.probability + 0.25 * hard.probability)
    assert hard.probability.tolist() == hard.pairs.labels.tolist()


def test_a_student_learns_what_was_said_of_each_pair_and_of_no_other(tmp_path: Path) -> None:
    rows = [{"id": name, "task": "QI", "query": name, "target": "t", "label": 1} for name in "abc"]
    pairs = Pairs.from_frame(pl.DataFrame(rows))
    lessons = TransferSet(pairs, np.array([0.1, 0.2, 0.3]), pl.Series("origin", [LABEL] * 3))
    learner = Keeping()
    student = Student("keeping", ("QI",), learner, lessons)
    student.fit(Pairs(pairs.frame.reverse().head(2)), tmp_path)
    assert learner.taught[0].tolist() == [0.3, 0.2]
    foreign = Pairs(pairs.frame.with_columns(id=pl.lit("d")))
    with pytest.raises(DataError, match="said nothing of 3 of 3 pairs"):
        student.fit(foreign, tmp_path)


def test_lessons_are_the_same_after_saving_and_reading(tmp_path: Path) -> None:
    lessons = TransferSet(shop.pairs(3), np.array([0.1, 0.2, 1.0]), pl.Series("origin", [LABEL, LABEL, UNLABELLED]))
    lessons.save(tmp_path / "lessons.parquet")
    read = TransferSet.read(tmp_path / "lessons.parquet")
    assert read.pairs.frame.equals(lessons.pairs.frame)
    assert read.probability.tolist() == [0.1, 0.2, 1.0]
    assert read.counts == {LABEL: 2, UNLABELLED: 1}
