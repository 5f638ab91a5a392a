from functools import partial
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import BundleError, DataError
from shopglot.core.folds import Folds
from shopglot.core.pairs import Pairs
from shopglot.learn.validate import Validated, cross_validate, fit_once
from shopglot.merge.blend import load_scorer
from tests import shop
from tests.learn.doubles import Counting, Killed, load_constant

LOAD = partial(load_scorer, loaders={"constant": load_constant})
PAIRS = shop.pairs(60)
GROUPS = PAIRS.frame.select("id", query="query")
QUERIES = PAIRS["query"].unique().sort().to_list()
PARTS = [("0", "1", "tune", "test")[number % 4] for number in range(len(QUERIES))]
FOLDS = Folds(2, GROUPS, {"query": pl.DataFrame({"group": QUERIES, "part": PARTS})})


def validated(learner: Counting, work: Path) -> Validated:
    return cross_validate(learner, PAIRS, FOLDS, work, LOAD)


def test_every_pair_of_a_fold_is_scored_once_by_a_model_that_did_not_see_its_query(tmp_path: Path) -> None:
    learner = Counting()
    out_of_fold = validated(learner, tmp_path).out_of_fold
    for fold, seen in zip(FOLDS.names, learner.fits, strict=True):
        judged = PAIRS.filter(FOLDS.judges(PAIRS, fold))
        assert out_of_fold.frame.filter(pl.col("fold") == fold)["id"].to_list() == judged["id"].to_list()
        assert set(PAIRS.filter(pl.col("id").is_in(list(seen)))["query"]).isdisjoint(judged["query"])


def test_a_killed_validation_goes_on_with_the_fold_it_was_in(tmp_path: Path) -> None:
    whole = validated(Counting(), tmp_path / "whole").out_of_fold.frame
    learner = Counting(deadly=(1,))
    with pytest.raises(Killed):
        validated(learner, tmp_path / "killed")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir() if path.suffix != ".work") == ["0"]
    resumed = validated(learner, tmp_path / "killed").out_of_fold.frame
    assert len(learner.fits) == 3
    assert learner.fits[2] == learner.fits[1] != learner.fits[0]
    assert resumed.equals(whole)


def test_a_finished_validation_fits_nothing_again(tmp_path: Path) -> None:
    first, learner = validated(Counting(), tmp_path), Counting()
    again = validated(learner, tmp_path)
    assert learner.fits == []
    assert again.out_of_fold.frame.equals(first.out_of_fold.frame)


def test_a_fold_without_training_pairs_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pair is left to train 'counting' for fold 1 of 2"):
        fit_once(Counting(), Pairs.concat([]), tmp_path / "0", LOAD, "fold 1 of 2")


def test_a_kept_model_that_was_cut_is_named_with_the_remedy(tmp_path: Path) -> None:
    validated(Counting(), tmp_path)
    (tmp_path / "1" / "scorer.json").write_text('{"kind"', encoding="utf-8")
    with pytest.raises(BundleError, match=r"1 is damaged .*; remove it, and the same command fits it again"):
        validated(Counting(), tmp_path)


def test_the_log_says_which_of_how_many_folds_is_fitted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="shopglot"):
        validated(Counting(), tmp_path)
    assert [line.partition(" on ")[0] for line in caplog.messages] == [
        "fitting counting for fold 1 of 2",
        "fitting counting for fold 2 of 2",
    ]
