import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.curate.duplicates import settle_duplicates
from shopglot.curate.settings import CurateSettings


def row(query: str = "tea", target: str = "green tea", label: int | None = 1, **facts: float) -> Pair:
    return Pair(task="QI", query=query, target=target, label=label, weight=facts.get("weight", 1.0))


def kept(rows: list[Pair], **choices: str) -> list[tuple[str, float]]:
    pairs, _ = settle_duplicates(Pairs.of(rows), CurateSettings(**choices))
    return list(pairs.frame.select("id", "weight").iter_rows())


def test_the_first_of_equal_rows_stays_with_the_weight_of_all() -> None:
    rows = [row("mug"), row(), row(weight=0.5), row("mug", weight=2)]
    assert kept(rows) == [("0", 3.0), ("1", 1.5)]


@pytest.mark.parametrize(
    "other", [row(label=0), row(label=None), row(target="tea"), Pair("QC", "tea", "green tea", label=1)]
)
def test_rows_of_another_task_text_or_label_are_no_duplicates(other: Pair) -> None:
    assert len(kept([row(), other])) == 2


def test_duplicates_can_be_kept() -> None:
    assert kept([row(), row()], duplicates="keep") == [("0", 1.0), ("1", 1.0)]


@pytest.mark.parametrize(
    ("one", "other"), [("t-shirt", "t shirt"), ("écouteurs", "ecouteurs"), ("iphone 13", "iphone13"), ("tea!", "tea")]
)
def test_near_duplicates_go_only_when_asked(one: str, other: str) -> None:
    rows = [row(one), row(other)]
    assert len(kept(rows)) == 2
    assert kept(rows, near_duplicates="drop") == [("0", 2.0)]


@pytest.mark.parametrize(("one", "other"), [("iphone 13", "iphone 14"), ("かき", "かぎ"), ("กา", "ก้า"), ("%", "&")])
def test_other_digits_or_letters_make_no_near_duplicates(one: str, other: str) -> None:
    assert len(kept([row(one), row(other)], near_duplicates="drop")) == 2


CONTRADICTION = [row(weight=2), row("mug"), row(label=0), row(label=0, weight=0.5), row(label=None)]


@pytest.mark.parametrize(
    ("policy", "ids"), [("keep", ["0", "1", "2", "4"]), ("drop", ["1", "4"]), ("majority", ["0", "1", "4"])]
)
def test_contradictory_labels_are_settled_by_the_policy(policy: str, ids: list[str]) -> None:
    assert [name for name, _ in kept(CONTRADICTION, contradictions=policy)] == ids


def test_a_tie_has_no_majority() -> None:
    assert kept([row(), row(label=0), row("mug")], contradictions="majority") == [("2", 1.0)]


ROWS = st.builds(
    row, st.sampled_from(["tea", "té", "te"]), st.sampled_from(["cup", "cup!"]), st.sampled_from([0, 1, None])
)
CHOICES = st.builds(
    CurateSettings,
    duplicates=st.sampled_from(["drop", "keep"]),
    near_duplicates=st.sampled_from(["drop", "keep"]),
    contradictions=st.sampled_from(["keep", "drop", "majority"]),
)


@settings(deadline=None)
@given(st.lists(ROWS, max_size=12), CHOICES)
def test_every_row_is_kept_or_counted_and_the_order_stays(rows: list[Pair], choices: CurateSettings) -> None:
    pairs, counts = settle_duplicates(Pairs.of(rows), choices)
    dropped = sum(count for name, count in counts.items() if name != "contradictory")
    assert len(pairs) + dropped == len(rows)
    assert np.all(np.diff(pairs["id"].cast(pl.Int64).to_numpy()) > 0)
    again, more = settle_duplicates(pairs, choices)
    assert again.frame.equals(pairs.frame)
    assert more["contradictory"] == (counts["contradictory"] if choices.contradictions == "keep" else 0)
