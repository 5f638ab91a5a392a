from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer
from shopglot.enrich.dropout import drop_translations
from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.enrich.negatives import with_negatives
from shopglot.learn.enriched import Enriched
from shopglot.learn.lexical import LexicalLearner
from shopglot.learn.settings import LexicalSettings
from tests import shop
from tests.learn.learners import TEMPLATE


@dataclass(frozen=True, eq=False)
class Watching:
    """A learner that notes what it was given."""

    learner: LexicalLearner
    given: list[Pairs] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.learner.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.learner.tasks

    def fit(self, train: Pairs, work: Path) -> SavableScorer:
        self.given.append(train)
        return self.learner.fit(train, work)


def test_a_share_of_the_translations_is_not_there_in_training_and_the_same_after_a_kill(tmp_path: Path) -> None:
    train = shop.pairs(200)
    watching = Watching(LexicalLearner(LexicalSettings(), TEMPLATE))
    for _ in range(2):
        Enriched(watching, partial(drop_translations, rate=0.5, seed=1)).fit(train, tmp_path)
    first, second = watching.given
    assert first.frame.equals(second.frame)
    had, has = (len(pairs) - pairs["english"].null_count() for pairs in (train, first))
    assert 0.3 * had < has < 0.7 * had
    assert first.frame.drop("english").equals(train.frame.drop("english"))


def test_negatives_are_made_from_the_pairs_of_the_fold_alone(tmp_path: Path) -> None:
    train = shop.pairs(200)
    watching = Watching(LexicalLearner(LexicalSettings(), TEMPLATE))
    settings = NegativeSettings(per_positive=0.5, shares={"random": 1.0})
    Enriched(watching, partial(with_negatives, settings=settings, seed=1)).fit(train, tmp_path)
    (given,) = watching.given
    made = given.filter(pl.col("made_from").is_not_null())
    assert len(made) > 0
    assert made["label"].to_list() == [0] * len(made)
    assert made["made_by"].unique().to_list() == ["negative:random"]
    assert set(made["made_from"]) <= set(train["id"])
    assert set(made["target"]) <= set(train["target"])
