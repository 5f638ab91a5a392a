from dataclasses import replace

import numpy as np
import pytest

from shopglot.core.errors import BundleError
from shopglot.core.metrics import Confusion
from shopglot.merge.decide import Decided
from shopglot.pack.parity import Parity, wilson
from tests import shop

PAIRS = shop.pairs(200, seed=3)
BASE = Decided(np.linspace(0.0, 1.0, 200), np.linspace(0.0, 1.0, 200) >= 0.5, np.full(200, 0.5))


def decided(probability: np.ndarray) -> Decided:
    return Decided(probability, probability >= BASE.threshold, BASE.threshold)


def test_equal_decisions_have_full_parity() -> None:
    parity = Parity.of(PAIRS, BASE, BASE)
    assert (parity.largest, parity.mean, parity.flips, set(parity.f1.values())) == (0.0, 0.0, 0.0, {0.0})
    assert parity.faults(max_flips=0.0, max_f1_change=0.0) == []


def test_differences_are_those_of_the_probabilities_and_flips_those_of_the_decisions() -> None:
    moved = BASE.probability.copy()
    moved[10] += 0.2
    moved[98:100] += 0.02  # over the threshold
    parity = Parity.of(PAIRS, BASE, decided(moved))
    assert parity.largest == pytest.approx(0.2)
    assert parity.mean == pytest.approx(0.24 / 200)
    assert parity.flips == 2 / 200
    assert parity.flips_interval[0] < parity.flips < parity.flips_interval[1]


def test_the_change_of_f1_is_exact_and_lies_in_its_interval() -> None:
    new = decided(np.roll(BASE.probability, 30))
    parity = Parity.of(PAIRS, BASE, new)
    for task in PAIRS.tasks:
        rows = (PAIRS["task"] == task).to_numpy()
        labels = PAIRS.labels[rows]
        before, after = (Confusion.of(labels, side.decision[rows]).f1 for side in (BASE, new))
        low, high = parity.f1_intervals[task]
        assert parity.f1[task] == pytest.approx(after - before)
        assert low <= parity.f1[task] <= high


def test_flipped_pairs_are_the_worst_and_are_named_when_the_gate_closes() -> None:
    moved = BASE.probability.copy()
    moved[5] += 0.3  # far, but no flip
    moved[99] += 0.01
    parity = Parity.of(PAIRS, BASE, decided(moved))
    assert parity.worst["id"].to_list()[:2] == [PAIRS["id"][99], PAIRS["id"][5]]
    parity.check(max_flips=0.01, max_f1_change=1.0)
    with pytest.raises(BundleError, match=rf"0.50% of the decisions flip, .* the worst are {PAIRS['id'][99]} "):
        parity.check(max_flips=0.001, max_f1_change=1.0)


def test_a_change_of_f1_over_the_limit_closes_the_gate_in_either_direction() -> None:
    better = Decided(PAIRS.labels.astype(float), PAIRS.labels == 1, BASE.threshold)
    for base, new in ((BASE, better), (better, BASE)):
        faults = Parity.of(PAIRS, base, new).faults(max_flips=1.0, max_f1_change=0.002)
        assert [fault.partition(" changes")[0] for fault in faults] == ["F1 of QC", "F1 of QI"]


def test_pairs_without_labels_are_compared_without_f1() -> None:
    blind = replace(PAIRS, frame=PAIRS.frame.with_columns(label=None).cast({"label": PAIRS.frame.schema["label"]}))
    parity = Parity.of(blind, BASE, BASE)
    assert parity.f1 == {}
    assert parity.pairs == 200


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    low, high = wilson(10, 100)
    assert (low, high) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert wilson(5, 5)[1] == 1.0
