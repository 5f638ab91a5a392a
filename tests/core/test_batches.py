import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.batches import by_length

lengths_of_texts = st.lists(st.integers(0, 300), max_size=80)
budgets = st.integers(1, 500)


@given(lengths_of_texts, budgets)
def test_every_row_is_in_one_batch(lengths: list[int], budget: int) -> None:
    batches = list(by_length(np.array(lengths, dtype=np.int64), budget=budget))
    assert sorted(row for batch in batches for row in batch.tolist()) == list(range(len(lengths)))


@given(lengths_of_texts, budgets)
def test_a_padded_batch_stays_within_the_budget_unless_it_is_one_row(lengths: list[int], budget: int) -> None:
    for batch in by_length(np.array(lengths, dtype=np.int64), budget=budget):
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget


@given(lengths_of_texts, budgets)
def test_no_row_comes_after_a_shorter_one(lengths: list[int], budget: int) -> None:
    order = [row for batch in by_length(np.array(lengths, dtype=np.int64), budget=budget) for row in batch]
    assert [lengths[row] for row in order] == sorted(lengths, reverse=True)


@given(lengths_of_texts, budgets)
def test_a_batch_is_as_full_as_its_longest_row_allows(lengths: list[int], budget: int) -> None:
    *full, _ = [*by_length(np.array(lengths, dtype=np.int64), budget=budget), np.empty(0)]
    for batch in full[:-1]:
        assert (len(batch) + 1) * max(1, lengths[batch[0]]) > budget
