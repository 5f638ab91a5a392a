import numpy as np
import pytest

from shopglot.core.errors import DataError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold

PAIRS = Pairs.of(Pair(task="QC", query=f"q{n}", target="t", label=n % 2) for n in range(4))


def test_scores_come_back_in_the_order_of_the_pairs_asked_for() -> None:
    oof = OutOfFold.of(PAIRS, np.array([0.1, 0.2, 0.3, 0.4]), model="m", fold="0")
    backwards = Pairs(PAIRS.frame.reverse())
    assert oof.scores(backwards, "m").tolist() == [0.4, 0.3, 0.2, 0.1]


def test_only_pairs_that_every_model_scored_are_judged() -> None:
    first = OutOfFold.of(PAIRS, np.full(4, 0.5), model="first", fold="0")
    second = OutOfFold.of(PAIRS.filter(np.array([True, True, False, False])), np.full(2, 0.5), model="second", fold="0")
    assert OutOfFold.concat([first, second]).judged(PAIRS)["id"].to_list() == ["0", "1"]


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.1])
def test_a_score_that_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        OutOfFold.of(PAIRS, np.array([0.1, 0.2, 0.3, bad]), model="m", fold="0")


def test_a_pair_scored_twice_by_one_model_is_refused() -> None:
    once = OutOfFold.of(PAIRS, np.full(4, 0.5), model="m", fold="0")
    with pytest.raises(DataError, match="two out-of-fold scores"):
        OutOfFold.concat([once, once])


def test_a_missing_score_is_an_error_and_not_a_zero() -> None:
    oof = OutOfFold.of(PAIRS.filter(np.array([True, False, False, False])), np.array([0.5]), model="m", fold="0")
    with pytest.raises(DataError, match="3 of 4"):
        oof.scores(PAIRS, "m")
