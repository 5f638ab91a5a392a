import polars as pl
import pytest

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError
from shopglot.learn.contrast import contrasts
from tests import shop
from tests.learn.learners import TEMPLATE

PAIRS = shop.pairs(400)


def test_there_is_one_row_per_relevant_pair_with_its_own_query() -> None:
    drawn = contrasts(PAIRS, TEMPLATE, seed=0)
    assert drawn.columns == ["anchor", "positive", "negative"]
    assert drawn["anchor"].to_list() == PAIRS.filter(pl.col("label") == 1)["query"].to_list()
    assert drawn.null_count().row(0) == (0, 0, 0)


def test_every_view_of_a_path_begins_with_its_leaf() -> None:
    paths = PAIRS.of_task("QC")
    leaves = [CategoryPath.parse(path).leaf for path in paths.filter(pl.col("label") == 1)["target"]]
    views = contrasts(paths, TEMPLATE, seed=0)["positive"].to_list()
    assert all(view.startswith(leaf) for view, leaf in zip(views, leaves, strict=True))
    assert {view.count(", ") for view in views} >= {0, 1, 2}


def test_a_negative_is_a_target_that_someone_called_irrelevant() -> None:
    items = PAIRS.of_task("QI")
    refused = set(items.filter(pl.col("label") == 0)["target"])
    assert set(contrasts(items, TEMPLATE, seed=0)["negative"]) <= refused


def test_a_querys_own_negative_goes_before_any_other() -> None:
    items = PAIRS.of_task("QI")
    own = items.frame.filter(pl.col("label") == 0).group_by("query").agg("target")
    joined = contrasts(items, TEMPLATE, seed=0).join(own, left_on="anchor", right_on="query")
    assert joined.height > 10
    assert joined.select(pl.col("negative").is_in("target").all()).item()


def test_the_seed_decides_views_and_negatives() -> None:
    one, again, other = (contrasts(PAIRS, TEMPLATE, seed=seed) for seed in (0, 0, 1))
    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize("label", [0, 1])
def test_pairs_of_one_class_cannot_be_contrasted(label: int) -> None:
    with pytest.raises(DataError, match="needs relevant and irrelevant pairs"):
        contrasts(PAIRS.filter(pl.col("label") == label), TEMPLATE, seed=0)
