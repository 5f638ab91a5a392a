"""The frontier and the choice."""

from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided
from shopglot.serve.cascade.budget import Budget, Wanted, budget_of, choose, unsure_of
from shopglot.serve.cascade.stage_cost import Measured, Repetition
from tests.serve.deciders import ByColumn
from tests.serve.evidence import evidence

ONCE = Repetition(1.0, 2.0)


def budget(seed: int = 0, tasks: int = 1) -> Budget:
    said = evidence(400, [1.5, 1.0, 0.3], seed)
    rows = len(said.labels)
    frame = {
        "task": [("QC", "QI")[n % tasks] for n in range(rows)],
        "query": [f"query {n}" for n in range(rows)],
        "target": ["lamp"] * rows,
        "label": said.labels,
    }
    measured = [
        Measured(
            f"stage {number}",
            Path(f"{number}/bundle"),
            ByColumn("x"),
            Decided(stage.probability, stage.decision, np.full(rows, 0.4)),
            stage.cost,
        )
        for number, stage in enumerate(said.stages)
    ]
    return budget_of(Pairs.from_frame(pl.DataFrame(frame)), measured[::-1], ONCE, Wanted(0.0, None))


BUDGETS = {seed: budget(seed, tasks=1 + seed % 2) for seed in range(4)}
seeds = st.sampled_from(sorted(BUDGETS))


def cost(seed: int, lose: float, seconds: float | None = None) -> float:
    return choose(BUDGETS[seed].tasks, Wanted(lose, seconds)).seconds


def quality(seed: int, seconds: float) -> float:
    chosen = choose(BUDGETS[seed].tasks, Wanted(-1.0, seconds))  # nothing loses so little, so it is the best that fits
    return float(np.mean([point.f1_elsewhere for point in chosen.points.values()]))


@given(seeds)
def test_along_the_frontier_more_seconds_are_a_higher_f1(seed: int) -> None:
    for own in BUDGETS[seed].tasks.values():
        seconds, f1 = ([getattr(point, name) for point in own.frontier] for name in ("seconds", "f1"))
        assert (np.diff(seconds) > 0).all()
        assert (np.diff(f1) > 0).all()


@given(seeds, st.floats(0, 0.1), st.floats(0, 0.1))
def test_who_may_lose_more_never_pays_more(seed: int, one: float, other: float) -> None:
    assert cost(seed, max(one, other)) <= cost(seed, min(one, other))


@given(seeds, st.floats(2e-5, 2e-2), st.floats(2e-5, 2e-2))
def test_who_has_more_time_never_gets_worse_decisions(seed: int, one: float, other: float) -> None:
    assert quality(seed, max(one, other)) >= quality(seed, min(one, other))


@given(seeds, st.floats(0, 0.05))
def test_the_chosen_routing_keeps_the_floor_where_it_was_not_chosen(seed: int, lose: float) -> None:
    chosen = choose(BUDGETS[seed].tasks, Wanted(lose, None))
    assert chosen.missed == ""
    for task, point in chosen.points.items():
        assert point.f1_elsewhere >= BUDGETS[seed].tasks[task].alone.f1 - lose


def test_what_no_routing_reaches_in_time_is_said() -> None:
    cheap = BUDGETS[0].tasks["QC"].frontier[0].seconds
    assert choose(BUDGETS[0].tasks, Wanted(0.0, cheap * 1.01)).missed.startswith("no routing that fits the time loses")
    assert choose(BUDGETS[0].tasks, Wanted(0.0, cheap / 2)).missed.startswith("no routing fits the time")


def test_stages_stand_in_the_order_of_their_cost_and_only_the_last_has_no_band() -> None:
    made = BUDGETS[0]
    assert [each.name for each in made.stages] == ["stage 0", "stage 1", "stage 2"]
    (point,) = made.chosen.points.values()
    bands = [unsure_of(made.chosen, number)["QC"] for number in point.route.stages]
    assert [band is None for band in bands] == [False] * (len(bands) - 1) + [True]
