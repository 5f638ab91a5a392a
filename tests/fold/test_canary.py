from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from shopglot.core.metrics import Confusion, roc_auc
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold
from shopglot.fold.canary import MemorisingLearner, Memory
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings, Mode

Truth = Literal["meaning and subtree", "meaning", "subtree"]
CONCEPTS, SUBTREES = 400, 60


def market(truth: Truth) -> Pairs:
    """Return pairs whose labels hang on nothing but `truth`: each meaning is asked for in three languages."""
    rng = np.random.default_rng(0)
    concept = np.repeat(np.arange(CONCEPTS), 12)
    subtree = rng.integers(0, SUBTREES, (CONCEPTS, 4)).repeat(3, axis=1).ravel()
    cause = {"meaning and subtree": concept * SUBTREES + subtree, "meaning": concept, "subtree": subtree}[truth]
    relevant = rng.random(CONCEPTS * SUBTREES)[cause] < 0.6
    frame = pl.DataFrame({"concept": concept, "subtree": subtree, "label": relevant})
    return Pairs.from_frame(
        frame.select(
            pl.lit("QC").alias("task"),
            pl.Series("language", ["en", "fr", "ja"] * (CONCEPTS * 4)),
            pl.format("meaning {}", "concept").alias("concept"),
            pl.format("top {},sub {},leaf", pl.col("subtree") % 7, "subtree").alias("target"),
            pl.col("label").cast(pl.Int8),
        ).with_columns(query=pl.format("{} as said in {}", "concept", "language"))
    )


def remembered(pairs: Pairs, mode: Mode) -> Pairs:
    """Return the judged pairs, with what the canary says of them as `own:score`."""
    folds = deal(pairs, FoldSettings(tune=0, test=0, qc=mode), 0)
    parts = []
    for fold in folds.names:
        judged = pairs.filter(folds.judges(pairs, fold))
        memory = MemorisingLearner().fit(pairs.filter(folds.trains(pairs, fold)), Path())
        parts.append(OutOfFold.of(judged, memory.score(judged), model="memory", fold=fold))
    scores = OutOfFold.concat(parts)
    judged = scores.judged(pairs)
    return Pairs(judged.frame.with_columns(pl.Series("own:score", scores.scores(judged, "memory"))))


BLIND: list[tuple[Mode, Truth]] = [
    ("query", "meaning and subtree"),
    ("category", "meaning and subtree"),
    ("both", "meaning and subtree"),
    ("language", "meaning and subtree"),
    ("query", "meaning"),
    ("both", "meaning"),
    ("language", "meaning"),
    ("category", "subtree"),
    ("both", "subtree"),
]
SEES: list[tuple[Mode, Truth]] = [
    ("random", "meaning and subtree"),
    ("random", "meaning"),
    ("random", "subtree"),
    ("category", "meaning"),
    ("query", "subtree"),
    ("language", "subtree"),
]


@pytest.mark.parametrize(("mode", "truth"), BLIND)
def test_memory_does_not_beat_all_positive_by_what_the_mode_keeps_apart(mode: Mode, truth: Truth) -> None:
    judged = remembered(market(truth), mode)
    scores = judged["own:score"].to_numpy()
    decided = Confusion.of(judged.labels, scores >= 0.5)
    assert roc_auc(judged.labels, scores) < 0.55
    assert decided.f1 < decided.all_positive_f1 + 0.01


@pytest.mark.parametrize(("mode", "truth"), SEES)
def test_memory_shows_what_the_mode_does_not_keep_apart(mode: Mode, truth: Truth) -> None:
    judged = remembered(market(truth), mode)
    assert roc_auc(judged.labels, judged["own:score"].to_numpy()) > 0.6


def test_in_both_memory_knows_nothing_at_all() -> None:
    judged = remembered(market("meaning"), "both")
    assert judged.frame.group_by(pl.col("own:score").round(12)).len().height == 3


def test_a_memory_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    pairs = market("meaning").filter(pl.int_range(pl.len()) < 100)
    memory = MemorisingLearner().fit(pairs, tmp_path)
    memory.save(tmp_path)
    assert (Memory.load(tmp_path).score(pairs) == memory.score(pairs)).all()


def test_a_pair_is_scored_by_all_it_shares_with_what_was_seen() -> None:
    columns = {
        "query": ["Tea", "tea!", "mug"],
        "target": ["x", "y", "y"],
        "label": [1, 0, 0],
        "concept": [None, "c", None],
    }
    seen = Pairs.from_frame(pl.DataFrame({"task": ["QC"] * 3, **columns}))
    new = Pairs.from_frame(pl.DataFrame({"task": ["QC"] * 3, "query": ["TEA", "a", "b"], "target": ["z", "y", "z"]}))
    assert MemorisingLearner().fit(seen, Path()).score(new).tolist() == [1 / 2, 0, 1 / 3]
