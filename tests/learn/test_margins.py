from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.learn.margins import coupled_loss, coupled_rows, couples_of, side_by_side
from shopglot.learn.targets import loss_of
from tests.strategies import pairs_tables


def said(log_odds: list[float], wanted: list[float], margin: float) -> float:
    import torch
    from transformers.modeling_outputs import SequenceClassifierOutput

    predicted = SequenceClassifierOutput(logits=torch.tensor(log_odds)[:, None])
    return float(coupled_loss(predicted, torch.tensor(wanted)[:, None], margin=margin))


@given(pairs_tables(), st.integers(0, 100))
def test_couples_are_of_one_query_and_task_and_each_pair_stands_on_either_side_once(pairs: Pairs, seed: int) -> None:
    couples = couples_of(pairs, seed)
    one, other = (pairs.frame[side] for side in couples.T)
    assert one.select("task", "query").equals(other.select("task", "query"))
    assert all(np.array_equal(np.sort(side), np.arange(len(pairs))) for side in couples.T)
    lonely = pairs.frame.select(pl.len().over("task", "query") == 1).to_series().to_numpy()
    assert np.array_equal(couples[:, 0] == couples[:, 1], lonely)


def test_margin_mse_is_the_squared_distance_of_the_differences_of_log_odds() -> None:
    # The teacher's log odds are ln 3 and -ln 3, so its margin is 2.1972; the model's is 1.5.
    first = (1.5 - 2 * np.log(3)) ** 2
    # The second couple has the teacher's margin 0 and the model's 1.
    assert said([1.0, -0.5], [0.75, 0.25], margin=1.0) == pytest.approx(first, rel=1e-5)
    assert said([1.0, -0.5, 2.0, 1.0], [0.75, 0.25, 0.5, 0.5], margin=1.0) == pytest.approx((first + 1) / 2, rel=1e-5)


def test_margins_do_not_say_where_relevance_begins_and_cross_entropy_does() -> None:
    near, far = ([0.4, -0.4], [5.4, 4.6])
    assert said(near, [0.6, 0.4], 1.0) == pytest.approx(said(far, [0.6, 0.4], 1.0), rel=1e-4)
    assert said(near, [0.6, 0.4], 0.5) < said(far, [0.6, 0.4], 0.5)


def test_without_a_share_of_margins_the_loss_is_that_of_single_pairs() -> None:
    import torch
    from transformers.modeling_outputs import SequenceClassifierOutput

    log_odds, wanted = torch.tensor([[0.3], [-2.0]]), torch.tensor([[0.9], [0.2]])
    single = loss_of(("relevant",), None)(SequenceClassifierOutput(logits=log_odds), wanted)
    assert said([0.3, -2.0], [0.9, 0.2], margin=0.0) == pytest.approx(float(single), rel=1e-6)


def test_the_two_pairs_of_a_row_follow_each_other_in_the_batch() -> None:
    pairs = Pairs.of(Pair(task="QC", query="tea", target=target) for target in "ab")
    rows = coupled_rows({"input_ids": [[1], [2, 3]]}, np.array([0.9, 0.1]), couples_of(pairs, 0))

    def pad(singles: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return singles

    batch = side_by_side([rows[0], rows[1]], pad)
    assert [each["input_ids"] for each in batch] == [[1], [2, 3], [2, 3], [1]]
    assert [each["labels"][0] for each in batch] == pytest.approx([0.9, 0.1, 0.1, 0.9])
    assert rows["length"] == [2, 2]
