import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.remembered import KEY, Remembered, in_order, keys_of


def learned(memory: Remembered, numbers: list[int]) -> None:
    rows = pl.DataFrame({"number": numbers}, schema={"number": pl.Int64})
    memory.remember(pl.concat([keys_of(rows), rows], how="horizontal"))


def recalled(memory: Remembered, numbers: list[int]) -> dict[int, int]:
    rows, values = memory.recall(keys_of(pl.DataFrame({"number": numbers}, schema={"number": pl.Int64})))
    return dict(zip(rows.tolist(), values["number"].to_list() if len(rows) else [], strict=True))


@given(st.lists(st.lists(st.integers(0, 60), unique=True, max_size=20), max_size=12))
def test_what_was_remembered_is_recalled_and_nothing_else(parts: list[list[int]]) -> None:
    memory, seen = Remembered(limit=1_000), set[int]()
    for part in parts:
        new = [number for number in part if number not in seen]
        learned(memory, new)
        seen.update(new)
    assert recalled(memory, list(range(60))) == {number: number for number in range(60) if number in seen}
    assert len(memory) == len(seen)


def test_no_more_is_kept_than_the_limit_and_the_latest_stays() -> None:
    memory = Remembered(limit=100)
    for start in range(0, 1_000, 10):
        learned(memory, list(range(start, start + 10)))
        assert len(memory) <= 100
    assert recalled(memory, list(range(900, 1_000))).keys() >= set(range(30, 100))
    assert recalled(memory, list(range(800))) == {}


def test_one_part_larger_than_the_limit_is_kept_for_as_long_as_none_follows() -> None:
    memory = Remembered(limit=5)
    learned(memory, list(range(20)))
    assert len(recalled(memory, list(range(20)))) == 20
    learned(memory, [99])
    assert len(memory) == 1


def test_rows_that_share_one_hash_are_told_apart_by_the_other() -> None:
    memory = Remembered(limit=10)
    memory.remember(
        pl.DataFrame({"key": [7], "check": [1], "score": [0.5]}, schema_overrides=dict.fromkeys(KEY, pl.UInt64))
    )
    asked = pl.DataFrame({"key": [7, 7], "check": [2, 1]}, schema=dict.fromkeys(KEY, pl.UInt64))
    assert memory.recall(asked)[0].tolist() == [1]


@pytest.mark.parametrize("rows", [[[1, 3], [0, 2]], [[], [0, 1, 2]], [[2, 1, 0], []]])
def test_values_come_in_the_order_of_their_rows(rows: list[list[int]]) -> None:
    given_rows = [np.array(part, dtype=np.int64) for part in rows]
    values = [pl.DataFrame({"row": part}, schema={"row": pl.Int64}) for part in rows]
    assert in_order(given_rows, values)["row"].to_list() == sorted([*rows[0], *rows[1]])


def test_no_text_and_an_empty_one_have_other_keys() -> None:
    rows = pl.DataFrame({"a": ["x", None, "", "xy"], "b": [None, "x", "x", ""]})
    assert keys_of(rows).n_unique() == 4
