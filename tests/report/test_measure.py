import numpy as np
import polars as pl
import pytest
from sklearn import metrics as oracle

from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.report.measure import Measures, Spread
from tests.report.made_up import judged


def test_the_measures_of_a_slice_equal_scikit_learn_on_its_rows() -> None:
    found = judged()
    rows = (found.pairs["language"] == "fr").to_numpy()
    labels, scores, decisions = found.pairs.labels[rows], found.probability[rows], found.decision[rows]
    assert Measures.of(found, rows).model_dump() == pytest.approx(
        {
            "count": rows.sum(),
            "positive_rate": labels.mean(),
            "f1": oracle.f1_score(labels, decisions),
            "precision": oracle.precision_score(labels, decisions),
            "recall": oracle.recall_score(labels, decisions),
            "pr_auc": oracle.average_precision_score(labels, scores),
            "roc_auc": oracle.roc_auc_score(labels, scores),
            "mcc": oracle.matthews_corrcoef(labels, decisions),
            "balanced_accuracy": oracle.balanced_accuracy_score(labels, decisions),
            "brier": oracle.brier_score_loss(labels, scores),
            "all_positive_f1": oracle.f1_score(labels, np.ones_like(labels)),
        }
    )


@pytest.mark.parametrize("label", [0, 1])
def test_with_one_class_nothing_is_said_about_telling_classes_apart(label: int) -> None:
    frame = pl.DataFrame({"task": "QC", "query": ["a", "b"], "target": "c", "label": [label, label]})
    found = Measures.of(Judged("test", Pairs.from_frame(frame), np.array([0.2, 0.8]), np.array([False, True])))
    assert (found.pr_auc, found.roc_auc, found.mcc, found.balanced_accuracy) == (None, None, None, None)
    assert found.positive_rate == label


def test_one_fold_has_no_deviation_to_report() -> None:
    assert Spread.of([0.5]) is None
    assert Spread.of([None, None, 0.5]) is None
