"""The counts of every routing, held against routing each pair by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.metrics import Confusion
from shopglot.serve.cascade.cascade import Cost
from shopglot.serve.cascade.routings import Evidence, Route, all_routings, seconds_of
from shopglot.serve.cascade.stage_cost import Repetition
from tests.serve.evidence import evidence

ONCE = Repetition(1.0, 2.0)


def routed(said: Evidence, route: Route, rows: np.ndarray) -> tuple[float, list[float]]:
    """Return F1 on some rows, and the share of all pairs that reaches each stage, by going stage by stage."""
    decision, here, reached = np.zeros(len(said.labels), dtype=bool), np.ones(len(said.labels), dtype=bool), []
    for place, number in enumerate(route.stages):
        stage = said.stages[number]
        decision[here] = stage.decision[here]
        reached.append(float(here.mean()))
        if place < len(route.bands):
            low, high = route.bands[place]
            here = here & (stage.probability >= low) & (stage.probability <= high)
    return Confusion.of(said.labels[rows], decision[rows]).f1, reached


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(max_examples=12)
def test_every_routing_is_counted_as_if_it_were_run(seed: int, stages: int) -> None:
    said = evidence(120, [1.5, 1.0, 0.7, 0.3][:stages], seed)
    routings = all_routings(said, ONCE)
    some = np.random.default_rng(seed).integers(0, len(routings.routes), 20)
    parts = np.array([True, False, True, True, False])[: said.part.max() + 1]
    f1 = routings.f1(parts)
    for place in some.tolist():
        expected, reached = routed(said, routings.routes[place], parts[said.part])
        assert f1[place] == pytest.approx(expected)
        assert routings.reached[place, : len(reached)] == pytest.approx(reached)


def test_every_stage_alone_and_every_order_of_them_is_among_the_routings() -> None:
    stages = {route.stages for route in all_routings(evidence(60, [1.5, 1.0, 0.5]), ONCE).routes}
    assert stages == {(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)}


def test_a_row_costs_its_share_of_pairs_and_of_new_texts() -> None:
    costs = [Cost(pair=1.0, text=10.0), Cost(pair=100.0, text=1000.0)]
    seconds = seconds_of(costs, np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 0.5]]), Repetition(pairs=0.5, texts=0.2))
    assert seconds.tolist() == pytest.approx([2.5, 2.5 + 5 + 100, 2.5 + 25 + 200])


def test_thousands_of_routings_are_counted_in_a_moment() -> None:
    assert len(all_routings(evidence(200, [1.5, 1.0, 0.5]), ONCE).routes) > 40_000
