"""F1 of all pairs of a model, and its difference to another, drawn in whole query groups."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shopglot.core.errors import DataError
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import f1_difference, f1_interval, query_groups
from tests.report.made_up import judged


def every_row(found: Judged) -> NDArray[np.bool_]:
    return np.ones(len(found.pairs), dtype=np.bool_)


def test_spellings_and_translations_of_a_query_are_one_group() -> None:
    frame = pl.DataFrame(
        {
            "task": "QC",
            "query": ["écouteurs", "ecouteurs", "auriculares", "tea"],
            "english": ["headphones", None, "headphones", None],
            "target": "audio",
            "made_from": [None, None, None, "a pair that is not here"],
        }
    )
    first, spelled, translated, other = query_groups(Pairs.from_frame(frame))
    assert first == spelled == translated != other


def test_a_model_does_not_differ_from_itself() -> None:
    found = judged()
    assert f1_difference(found, found, every_row(found), repetitions=200, seed=1) == (0.0, 0.0)


def test_groups_found_once_for_all_pairs_give_each_slice_the_intervals_of_its_own_groups() -> None:
    strong, weak = judged(skill=3.0), judged(skill=0.2)
    groups, rows = query_groups(strong.pairs), (strong.pairs["language"] == "fr").to_numpy()
    alone = f1_interval(strong, rows, repetitions=200, seed=1)
    assert f1_interval(strong, rows, repetitions=200, seed=1, groups=groups) == alone
    apart = f1_difference(strong, weak, rows, repetitions=200, seed=1)
    assert f1_difference(strong, weak, rows, repetitions=200, seed=1, groups=groups) == apart


def test_a_model_that_is_much_better_has_its_whole_interval_above_zero() -> None:
    strong, weak = judged(skill=3.0), judged(skill=0.2)
    low, high = f1_difference(strong, weak, every_row(strong), repetitions=300, seed=1)
    assert 0 < low < high
    back = f1_difference(weak, strong, every_row(strong), repetitions=300, seed=1)
    assert back == pytest.approx((-high, -low))


def test_models_that_judged_different_pairs_are_not_compared() -> None:
    here, there = judged(), judged(task="QI")
    with pytest.raises(DataError, match="judge different pairs"):
        f1_difference(here, there, every_row(here), repetitions=100, seed=1)
