"""What every decider keeps, be it a bundle or a cascade of bundles."""

import numpy as np
import polars as pl
import pytest

from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided, Decider
from shopglot.pack.bundle import Bundle
from shopglot.serve.cascade.cascade import Band, Cascade, Stage
from tests import shop
from tests.pack.conftest import embedding, lexical

__all__ = ["embedding", "lexical"]
NEW = shop.pairs(40, seed=99)
ROUNDING = 1e-5


@pytest.fixture(scope="module", params=["bundle", "cascade", "cascade of cascades"])
def decider(request: pytest.FixtureRequest, lexical: Bundle, embedding: Bundle) -> Decider:
    cascade = Cascade(
        (Stage("small", lexical, dict.fromkeys(TASKS, Band(0.2, 0.8))), Stage("big", embedding, dict.fromkeys(TASKS)))
    )
    match request.param:
        case "bundle":
            return lexical
        case "cascade":
            return cascade
        case _:
            stages = (
                Stage("all", cascade, dict.fromkeys(TASKS, Band(0.4, 0.6))),
                Stage("last", embedding, {"QC": None}),
            )
            return Cascade(stages)


def close(one: Decided, other: Decided) -> bool:
    numbers = all(
        np.allclose(getattr(one, name), getattr(other, name), atol=ROUNDING)
        for name in ("probability", "decision", "threshold")
    )
    return numbers and all(_listed(getattr(one, name)) == _listed(getattr(other, name)) for name in ("read", "stage"))


def of_rows(decided: Decided, rows: list[int]) -> Decided:
    read, stage = (None if column is None else column[rows] for column in (decided.read, decided.stage))
    return Decided(decided.probability[rows], decided.decision[rows], decided.threshold[rows], read, stage)


def _listed(column: pl.Series | None) -> list[str | None] | None:
    return None if column is None else column.to_list()


def test_each_pair_has_a_probability_and_the_decision_that_follows(decider: Decider) -> None:
    decided = decider.score_clean(NEW)
    assert decided.probability.shape == (len(NEW),)
    assert np.all((decided.probability >= 0) & (decided.probability <= 1))
    assert decided.decision.tolist() == (decided.probability >= decided.threshold).tolist()


def test_what_is_decided_does_not_depend_on_neighbours_or_order(decider: Decider) -> None:
    together = decider.score_clean(NEW)
    for rows in ([3], [7, 2], np.random.default_rng(3).permutation(len(NEW)).tolist()):
        assert close(decider.score_clean(Pairs(NEW.frame[rows])), of_rows(together, rows))


def test_what_is_decided_depends_on_the_texts_and_the_task_alone(decider: Decider) -> None:
    nameless = Pairs.from_frame(NEW.frame.select("task", "query", "english", "target"))
    assert close(decider.score_clean(nameless), decider.score_clean(NEW))


def test_equal_pairs_are_decided_alike(decider: Decider) -> None:
    probability = decider.score_clean(Pairs.concat([NEW, NEW])).probability
    assert probability[: len(NEW)] == pytest.approx(probability[len(NEW) :], abs=ROUNDING)


def test_no_pairs_are_no_decisions(decider: Decider) -> None:
    assert decider.score_clean(NEW.filter(pl.lit(False))).probability.shape == (0,)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_decided_alone_as_among_the_other(decider: Decider, task: Task) -> None:
    rows = np.flatnonzero((NEW["task"] == task).to_numpy()).tolist()
    assert close(decider.score_clean(NEW.of_task(task)), of_rows(decider.score_clean(NEW), rows))


def test_what_is_known_already_changes_nothing(decider: Decider) -> None:
    paths = NEW.of_task("QC")["target"].to_list()
    known = decider.knowing(paths)
    assert close(known.knowing(paths).score_clean(NEW), known.score_clean(NEW))
