import numpy as np
import polars as pl
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.merge.intervals import query_groups
from shopglot.report.measure import FEW_GROUPS, FEW_PAIRS, Measures, SliceReport, Spread, slice_reports
from shopglot.report.settings import ReportSettings
from tests.report.made_up import judged


def calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """The oracle's bins hold as many scores each where their number is a multiple of fifteen and no two are equal."""
    share, mean = calibration_curve(labels, scores, n_bins=15, strategy="quantile")
    return float(np.abs(share - mean).mean())


def test_the_measures_of_a_slice_equal_scikit_learn_on_its_rows() -> None:
    found = judged()
    rows = (found.pairs["language"] == "fr").to_numpy()
    rows[np.flatnonzero(rows)[90:]] = False
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
            "calibration_error": calibration_error(labels, scores),
            "all_positive_f1": oracle.f1_score(labels, np.ones_like(labels)),
            "weighted": None,
        }
    )


def test_weighted_measures_equal_scikit_learn_with_weights_of_which_some_are_zero() -> None:
    found = judged()
    weights = np.random.default_rng(4).integers(0, 4, len(found.pairs)).astype(np.float64)
    pairs = Pairs(found.pairs.frame.with_columns(weight=weights))
    shown = Measures.of(Judged("test", pairs, found.probability, found.decision)).weighted
    labels, scores, decisions = found.pairs.labels, found.probability, found.decision
    assert shown is not None
    assert shown.model_dump(exclude={"calibration_error"}) == pytest.approx(
        {
            "f1": oracle.f1_score(labels, decisions, sample_weight=weights),
            "precision": oracle.precision_score(labels, decisions, sample_weight=weights),
            "recall": oracle.recall_score(labels, decisions, sample_weight=weights),
            "pr_auc": oracle.average_precision_score(labels, scores, sample_weight=weights),
            "mcc": oracle.matthews_corrcoef(labels, decisions, sample_weight=weights),
            "brier": oracle.brier_score_loss(labels, scores, sample_weight=weights),
        }
    )


def test_pairs_without_traffic_have_no_weighted_figures() -> None:
    found = judged()
    pairs = Pairs(found.pairs.frame.with_columns(weight=pl.lit(0.0)))
    assert Measures.of(Judged("test", pairs, found.probability, found.decision)).weighted is None


def of_queries(count: int, per_query: int) -> SliceReport:
    found = judged(queries=count, per_query=per_query)
    groups, rows = query_groups(found.pairs), np.arange(count * per_query)
    return slice_reports(found, groups, [rows], ReportSettings(bootstrap=100), seed=1)[0]


def test_a_slice_of_few_pairs_or_of_few_query_groups_is_small() -> None:
    assert (of_queries(FEW_GROUPS, 5).small, of_queries(FEW_GROUPS, 5).groups) == (False, FEW_GROUPS)
    assert of_queries(FEW_GROUPS, 4).small
    assert of_queries(FEW_GROUPS - 1, 50).small
    assert of_queries(FEW_GROUPS, 4).count < FEW_PAIRS < of_queries(FEW_GROUPS - 1, 50).count


@pytest.mark.parametrize("label", [0, 1])
def test_with_one_class_nothing_is_said_about_telling_classes_apart(label: int) -> None:
    frame = pl.DataFrame({"task": "QC", "query": ["a", "b"], "target": "c", "label": [label, label]})
    found = Measures.of(Judged("test", Pairs.from_frame(frame), np.array([0.2, 0.8]), np.array([False, True])))
    assert (found.pr_auc, found.roc_auc, found.mcc, found.balanced_accuracy) == (None, None, None, None)
    assert found.positive_rate == label


def test_one_fold_has_no_deviation_to_report() -> None:
    assert Spread.of([0.5]) is None
    assert Spread.of([None, None, 0.5]) is None
