import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs


def test_a_missing_label_is_named_rather_than_read_as_zero() -> None:
    pairs = Pairs.of([Pair(task="QI", query="a", target="b"), Pair(task="QI", query="a", target="c", label=1)])
    with pytest.raises(DataError, match="1 of 2 pairs have no label"):
        _ = pairs.labels
    assert pairs.labelled.labels.tolist() == [1]


def test_columns_of_the_file_travel_along_under_their_own_names() -> None:
    frame = pl.DataFrame({"task": ["QI"], "query": ["a"], "target": ["b"], "brand": ["Zentro"]})
    pairs = Pairs.from_frame(frame)
    assert pairs.own_columns().to_dict(as_series=False) == {"brand": ["Zentro"]}


def test_tables_with_other_own_columns_join_without_losing_rows() -> None:
    one = Pairs.from_frame(pl.DataFrame({"task": ["QC"], "query": ["a"], "target": ["b"], "x": [1]}))
    two = Pairs.from_frame(pl.DataFrame({"task": ["QI"], "query": ["a"], "target": ["b"], "y": ["z"]}))
    both = Pairs.concat([one, two])
    assert both.own_columns().rows() == [(1, None), (None, "z")]
    assert both.tasks == ("QC", "QI")


@pytest.mark.parametrize("column", ["task", "query", "target"])
def test_a_table_without_a_needed_column_is_refused_by_name(column: str) -> None:
    frame = pl.DataFrame({"task": ["QI"], "query": ["a"], "target": ["b"]}).drop(column)
    with pytest.raises(DataError, match=column):
        Pairs.from_frame(frame)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(DataError, match="SCHEMA"):
        Pairs.from_frame(pl.DataFrame({"task": ["QQ"], "query": ["a"], "target": ["b"]}))


def test_pairs_without_ids_are_numbered() -> None:
    pairs = Pairs.of([Pair(task="QI", query="a", target="b"), Pair(task="QI", query="a", target="c", id="mine")])
    assert pairs["id"].to_list() == ["0", "mine"]


def test_a_row_is_readable_when_it_has_a_query_and_a_target() -> None:
    texts = [("tea", "food,tea"), ("", "food,tea"), ("tea", "\u00a0 "), ("茶", "food,tea")]
    pairs = Pairs.of([Pair(task="QC", query=query, target=target) for query, target in texts])
    assert pairs.readable.tolist() == [True, False, False, True]


@pytest.mark.parametrize("task", ["qc", "XX", None])
def test_a_pair_without_one_of_the_two_tasks_is_refused(task: str | None) -> None:
    with pytest.raises(DataError, match=f"{task}|has no task"):
        Pairs.of([Pair(task=task, query="a", target="b")])  # type: ignore[arg-type]


@pytest.mark.parametrize("label", [0.5, 7, -1])
def test_a_label_other_than_0_and_1_is_refused(label: float) -> None:
    with pytest.raises(DataError, match=f"the label {label:g}; write 0, 1 or null"):
        Pairs.from_frame(pl.DataFrame({"task": "QC", "query": "a", "target": "b", "label": [label]}))


def test_a_label_may_be_a_float_a_text_or_a_truth_value() -> None:
    frame = pl.DataFrame({"task": "QC", "query": "a", "target": "b", "label": [1.0, 0.0, None]})
    for dtype in (pl.Float64, pl.Boolean, pl.Int64):
        assert Pairs.from_frame(frame.cast({"label": dtype}))["label"].to_list() == [1, 0, None]


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(DataError, match=r"half a surrogate pair is no character, in 'dog\\udcff'; give texts in UTF-8"):
        Pairs.of([Pair(task="QI", query="dog\udcff", target="bed")])
