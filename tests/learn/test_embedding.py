from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shopglot.core.pairs import Pairs
from shopglot.learn.embedding import EmbeddingLearner, as_one
from shopglot.learn.settings import ContrastSettings, EmbeddingSettings
from tests import shop
from tests.learn.learners import TEMPLATE

pytestmark = pytest.mark.usefixtures("full_precision")
CATEGORIES = shop.pairs().of_task("QC")


def learner(model: Path, taxonomy: tuple[str, ...] = (), hidden_parts: int = 3) -> EmbeddingLearner:
    settings = EmbeddingSettings(model=str(model), hidden=(4,), networks=1, hidden_parts=hidden_parts)
    return EmbeddingLearner(settings, TEMPLATE, taxonomy)


def test_a_shop_of_one_branch_can_be_learned(tiny_bert: Path, tmp_path: Path) -> None:
    narrow = Pairs(CATEGORIES.frame.with_columns(target="food,tea," + pl.col("target").str.split(",").list.last()))
    scores = learner(tiny_bert).fit(narrow, tmp_path).score(narrow)
    assert np.all((scores >= 0) & (scores <= 1))


def test_a_shop_of_one_category_can_be_learned(tiny_bert: Path, tmp_path: Path) -> None:
    single = Pairs(CATEGORIES.frame.with_columns(target=pl.lit("books")))
    assert learner(tiny_bert).fit(single, tmp_path).score(single).shape == (len(single),)


def test_more_parts_than_branches_can_be_hidden(tiny_bert: Path, tmp_path: Path) -> None:
    assert learner(tiny_bert, hidden_parts=40).fit(CATEGORIES, tmp_path).score(CATEGORIES).shape == (len(CATEGORIES),)


def test_the_catalogue_is_the_shops_tree_and_what_the_training_pairs_name(tiny_bert: Path, tmp_path: Path) -> None:
    scorer = learner(tiny_bert, ("toys,dolls",)).fit(CATEGORIES, tmp_path)
    assert set(scorer.paths) == {"toys,dolls", *CATEGORIES["target"]}
    assert "toys" in scorer.catalogue.names


def test_frozen_weights_are_named_and_trained_ones_are_kept(tiny_bert: Path, tmp_path: Path) -> None:
    frozen = learner(tiny_bert).fit(CATEGORIES, tmp_path)
    (tmp_path / "frozen").mkdir()
    frozen.save(tmp_path / "frozen")
    kept = {path.name for path in (tmp_path / "frozen").iterdir()}
    assert kept == {"scorer.json", "catalogue.txt", "QC.safetensors"}


def test_the_encoder_that_stays_frozen_cannot_be_given_a_fine_tuning() -> None:
    with pytest.raises(ValueError, match="stays frozen"):
        EmbeddingSettings(contrast=ContrastSettings(steps=1))


def test_scorers_of_the_same_features_are_one_scorer_with_their_mean_score(tiny_bert: Path, tmp_path: Path) -> None:
    parts = [CATEGORIES.filter(np.arange(len(CATEGORIES)) % 2 == n) for n in (0, 1)]
    paths = tuple(CATEGORIES["target"].unique())
    scorers = [learner(tiny_bert, paths).fit(part, tmp_path) for part in parts]
    one = as_one(scorers)
    assert one is not None
    expected = np.mean([scorer.score(CATEGORIES) for scorer in scorers], axis=0)
    assert one.score(CATEGORIES) == pytest.approx(expected, abs=1e-5)
    assert as_one([scorers[0], scorers[1].with_catalogue(paths[:3])]) is None
