import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.fold.describe import describe, tune_notes
from tests.strategies import pairs_tables


def by_hand(pairs: Pairs) -> Folds:
    """Return two folds in which a pair's query and target are its groups, dealt by their last character."""
    groups = pairs.frame.select("id", query=pl.col("query").str.tail(1), category=pl.col("target").str.tail(1))
    part = ["0", "1", TUNE, TEST]
    parts = {
        key: groups.select(group=key)
        .unique()
        .with_columns(part=pl.col("group").hash(1) % 4)
        .with_columns(part=pl.col("part").replace_strict([0, 1, 2, 3], part))
        for key in ("query", "category")
    }
    return Folds(2, groups, parts)


@settings(max_examples=15, deadline=None)
@given(pairs_tables(made=True))
def test_every_pair_is_counted_once_and_json_can_hold_it(pairs: Pairs) -> None:
    folds = by_hand(pairs)
    facts = json.loads(json.dumps(describe(pairs, folds), allow_nan=False))
    originals = pairs.filter(pl.col("made_from").is_null())
    for task in pairs.tasks:
        own = originals.of_task(task)
        assert sum(part["judges"] for part in facts[task].values()) == len(own)
        assert facts[task]["0"]["trains"] == folds.trains(pairs.of_task(task), "0").sum()
        idle = own.filter(~np.any([folds.judges(own, part) for part in ("0", "1", TUNE, TEST)], axis=0)).labelled
        rate = facts[task]["no part"]["label_rate"]
        assert rate is None if not len(idle) else abs(rate - idle.labels.mean()) < 1e-4


def test_a_language_that_some_fold_does_not_judge_is_noted() -> None:
    rows = [Pair(task="QC", query=f"q{n}", target="t", language="en" if n % 4 else "pl", id=str(n)) for n in range(8)]
    pairs = Pairs.of([*rows, Pair(task="QC", query="q8", target="t", language="pl", id="8")])
    groups = pairs.frame.select("id", query="query")
    parts = groups.select(group="query", part=pl.Series([*["0", "0", "1", "1"] * 2, TUNE]))
    facts = describe(pairs, Folds(2, groups, {"query": parts}))
    assert facts["notes"] == ["QC pl: 3 pairs, judged in 1 of 2 folds"]
    assert facts["groups"] == {"query": {"groups": 9, "largest": 1, "largest_share": 0.1111}}
    assert facts["QC"]["0"] == {"judges": 4, "label_rate": None, "languages": 2, "trains": 4}


def of_tune(relevant: int, rows: int) -> tuple[Pairs, Folds]:
    """Return 800 pairs, three in four of them relevant, and folds with this many of them in tune."""
    labels = [1] * relevant + [0] * (rows - relevant) + [1] * (600 - relevant) + [0] * (200 - rows + relevant)
    pairs = Pairs.of(Pair(task="QC", query=f"q{n}", target="t", label=label) for n, label in enumerate(labels))
    groups = pairs.frame.select("id", query="query")
    part = pl.Series([TUNE] * rows + ["0", "1"] * ((800 - rows) // 2))
    return pairs, Folds(2, groups, {"query": groups.select(group="query", part=part)})


@pytest.mark.parametrize(("relevant", "rows"), [(29, 30), (19, 60)])
def test_a_tune_part_with_few_of_a_class_is_noted(relevant: int, rows: int) -> None:
    pairs, folds = of_tune(relevant, rows)
    (note,) = tune_notes(pairs, folds)
    assert note.startswith(f"QC: probabilities and threshold rest on the {rows} pairs of tune, of which {relevant} are")
    assert note in describe(pairs, folds)["notes"]


@pytest.mark.parametrize(("relevant", "rows"), [(70, 90), (175, 200)])
def test_a_tune_part_with_enough_of_both_is_not_noted(relevant: int, rows: int) -> None:
    assert tune_notes(*of_tune(relevant, rows)) == []
