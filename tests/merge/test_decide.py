import numpy as np
import pytest

from shopglot.core.errors import BundleError
from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decision, TaskDecision
from tests.merge.doubles import table

PLAIN = Calibration(kind="none")
DECISION = Decision(
    tasks={
        "QC": TaskDecision(calibration=PLAIN, threshold=0.4, prior=0.7),
        "QI": TaskDecision(calibration=Calibration(kind="temperature", intercept=20.0), threshold=0.6, prior=0.5),
    }
)


def test_each_row_is_decided_by_its_own_task() -> None:
    decided = DECISION.decide(table(["QI", "QC", "QC", "QI"], [None] * 4), np.array([0.5, 0.5, 0.3, 0.01]))
    assert decided.probability == pytest.approx([1.0, 0.5, 0.3, 1.0], abs=1e-4)
    assert decided.decision.tolist() == [True, True, False, True]
    assert decided.threshold.tolist() == [0.6, 0.4, 0.4, 0.6]


def test_a_probability_at_the_threshold_is_relevant() -> None:
    assert DECISION.decide(table(["QC"], [None]), np.array([0.4])).decision.tolist() == [True]


def test_a_row_without_text_gets_the_prior_whatever_its_score() -> None:
    pairs = table(["QC", "QI", "QC"], [None] * 3, ["", " ", "tea"])
    decided = DECISION.decide(pairs, np.array([0.0, np.nan, 0.2]))
    assert decided.probability.tolist() == [0.7, 0.5, 0.2]
    assert decided.decision.tolist() == [True, False, False]


def test_no_rows_are_no_decisions() -> None:
    assert DECISION.decide(table([], []), np.empty(0)).decision.tolist() == []


def test_a_task_that_was_never_learned_is_refused_with_those_there_are() -> None:
    only = Decision(tasks={"QC": DECISION.tasks["QC"]})
    with pytest.raises(BundleError, match="decides QC, not QI"):
        only.decide(table(["QC", "QI"], [None, None]), np.array([0.1, 0.2]))


def test_a_decision_reads_back_from_json_as_itself() -> None:
    assert Decision.model_validate_json(DECISION.model_dump_json()) == DECISION
