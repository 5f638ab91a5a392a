from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.folds import TEST, TUNE
from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings
from shopglot.fold.split import leaks, read_split
from tests import shop


def pair(number: int, query: str, target: str, task: Task = "QC", **more: Any) -> Pair:
    return Pair(task=task, query=query, target=target, id=f"{task}-{number}", **more)


def leaking(pairs: Pairs, parts: list[str]) -> dict[str, float]:
    """Return the share of judged QC pairs that leak by each key, where any does."""
    found = leaks(pairs, pl.DataFrame({"id": pairs["id"], "part": parts}), FoldSettings(), seed=0)
    return {key: share for task, key, share in found.select("task", "key", "share").rows() if task == "QC" and share}


@pytest.mark.parametrize(
    ("train", "test", "keys"),
    [
        (pair(1, "tea", "a,b"), pair(2, "pots", "c,d"), set()),
        (pair(1, "Tea-Pot", "a,b"), pair(2, "teapot", "c,d"), {"query", "query group"}),
        (pair(1, "tea pot", "a,b"), pair(2, "pot tea", "c,d"), {"near query"}),
        (pair(1, "thé", "a,b", english="tea"), pair(2, "чай", "c,d", english="Tea"), {"english", "query group"}),
        (pair(1, "thé", "a,b", english="tea"), pair(2, "tea", "c,d"), {"query group"}),
        (pair(1, "thé", "a,b", concept="c1"), pair(2, "чай", "c,d", concept="c1"), {"concept", "query group"}),
        (pair(1, "tea", "a,b,x"), pair(2, "pots", "A,B,y"), {"subtree", "near subtree"}),
        (pair(1, "tea", "a,b"), pair(2, "pots", "A,b"), {"category", "subtree", "near subtree"}),
        (pair(1, "tea", "tea cup", task="QI"), pair(2, "tea", "c,d"), {"query", "query group", "near query"}),
    ],
)
def test_a_leak_is_found_by_its_own_keys(train: Pair, test: Pair, keys: set[str]) -> None:
    assert leaking(Pairs.of([train, test]), ["train", "test"]).keys() == keys


def test_the_same_pair_in_two_parts_leaks_by_query_and_target() -> None:
    same = Pairs.of([pair(1, "TEA", "a,b"), pair(2, "tea", "a,b"), pair(3, "milk", "c,d")])
    assert leaking(same, ["train", "dev", "dev"])["query and target"] == 0.5


def test_titles_leak_in_any_spelling_and_order() -> None:
    pairs = Pairs.of(
        pair(n, f"query {'abc'[n]}", title, task="QI")
        for n, title in enumerate(["Red Dress", "red-dress", "dress red"])
    )
    split = pl.DataFrame({"id": pairs["id"], "part": ["train", "test", "test"]})
    found = leaks(pairs, split, FoldSettings(), seed=0)
    assert dict(found.select("key", "share").rows())["title"] == 0.5
    near = found.filter(key="near title").to_dicts()[0]
    assert (near["share"], near["example"], near["known"]) == (1.0, "QI-1", "dress red")


def test_of_folds_each_is_judged_by_the_others_and_tune_and_test_train_nothing() -> None:
    pairs = Pairs.of([pair(1, "tea", "a,b"), pair(2, "tea", "c,d"), pair(3, "milk", "e,f"), pair(4, "milk", "g,h")])
    assert leaking(pairs, ["0", "1", "0", "0"])["query"] == 0.5
    assert leaking(pairs, ["0", "0", "1", "1"]).keys() == set()
    assert leaking(pairs, ["0", "1", "1", TEST])["query"] == 0.75
    assert "query" not in leaking(pairs, ["0", "0", TUNE, TEST])


def test_folds_that_this_project_deals_leak_by_no_key_that_they_keep_apart() -> None:
    pairs = shop.pairs()
    folds = deal(pairs, FoldSettings(folds=2, tune=0.2, test=0, qc="query"), seed=3)
    parts = {part: folds.judges(pairs, part) for part in (*folds.names, TUNE)}
    rows = [pairs.frame.filter(pl.Series(mask)).select("id", part=pl.lit(part)) for part, mask in parts.items()]
    found = leaks(pairs, pl.concat(rows), FoldSettings(), seed=0)
    shares = found.group_by("key").agg(pl.col("share").max())
    assert dict(shares.rows())["query group"] == 0
    assert dict(shares.rows())["subtree"] > 0.5


BOTH = Pairs.of([pair(7, "tea", "a,b"), pair(7, "tea", "cup", task="QI"), pair(8, "milk", "a,c")])


@pytest.mark.parametrize(
    "text",
    [
        "id,fold\nQC-7,0\nQC-8,1\nQI-7,1\n",
        "id,task,split\n7,QC,0\n8,QC,1\n7,QI,1\n",
        "part,id\n0,QC-7\n 1 ,8\n1,QI-7\n",
    ],
)
def test_a_split_may_name_pairs_as_their_file_does_or_as_this_project_does(tmp_path: Path, text: str) -> None:
    (tmp_path / "split.csv").write_text(text)
    assert set(read_split(tmp_path / "split.csv", BOTH).rows()) == {("QC-7", "0"), ("QC-8", "1"), ("QI-7", "1")}


def test_pairs_without_a_part_are_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "split.csv").write_text("id,fold\nQC-7,0\nQC-8,1\nQI-7,\n")
    assert read_split(tmp_path / "split.csv", BOTH).height == 2
    assert "1 of the 3 pairs have no part" in caplog.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,fold\nQC-9,0\nQC-8,1\n", "the id 'QC-9' is no pair of the given files; give all files"),
        ("id,fold\n7,0\n8,1\n", "the id '7' is that of a pair of each task; add a column `task`"),
        ("id,fold\nQC-8,0\n8,1\n", "the id '8' stands there twice"),
        ("id,fold\nQC-7,0\nQC-8,0\n", "has fewer than two parts"),
        ("id,cluster\nQC-7,0\n", "is no split, for it needs id and one of fold, split, part; it has id, cluster"),
        ("id,fold,split\nQC-7,0,0\n", "is no split"),
        ("id,fold\nQC-7\n", "line 2: fields: 1, where the header names 2; mend it"),
    ],
)
def test_a_file_that_is_no_split_of_the_pairs_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_split(tmp_path / "split.csv", BOTH)
