from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold
from shopglot.merge.blend import Blend
from shopglot.merge.chain import cross_fitted, fit_chain, redecide
from shopglot.merge.settings import MergeSettings
from tests.merge.doubles import ByQuery, out_of_fold, simulated, table

MODELS = ["fine", "noisy"]
SETTINGS = MergeSettings()


def evidence(rows: int, seed: int) -> tuple[Pairs, Floats, OutOfFold]:
    """Half the pairs of either task, dealt into three folds."""
    labels, scores = simulated(rows, len(MODELS), seed)
    pairs = table([("QC", "QI")[n % 2] for n in range(rows)], labels.tolist())
    return pairs, scores, out_of_fold(pairs, scores, [str(n % 3) for n in range(rows)], MODELS)


def rates_of(pairs: Pairs) -> dict[Task, float]:
    return {task: float(pairs.labelled.of_task(task).labels.mean()) for task in pairs.tasks}


def relabelled(pairs: Pairs, flipped: pl.Expr) -> Pairs:
    return Pairs(pairs.frame.with_columns(pl.when(flipped).then(1 - pl.col("label")).otherwise("label").alias("label")))


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from(["0", "1", "2"]),
    st.sampled_from([SETTINGS, MergeSettings(blend="mean", calibration="isotonic")]),
)
def test_what_a_fold_is_told_does_not_depend_on_its_own_labels(seed: int, fold: str, chosen: MergeSettings) -> None:
    pairs, _, oof = evidence(120, seed)
    before = cross_fitted(pairs, oof, chosen)
    own = oof.frame.filter(pl.col("fold") == fold)["id"]
    after = cross_fitted(relabelled(pairs, pl.col("id").is_in(own.implode())), oof, chosen)
    assert before.fold is not None
    inside = (before.fold == fold).to_numpy()
    assert after.probability[inside].tolist() == before.probability[inside].tolist()
    assert after.decision[inside].tolist() == before.decision[inside].tolist()
    assert after.probability[~inside].tolist() != before.probability[~inside].tolist()


def test_every_pair_is_judged_once_with_its_fold() -> None:
    pairs, _, oof = evidence(90, seed=0)
    judged = cross_fitted(pairs, oof, SETTINGS)
    assert sorted(judged.pairs["id"]) == sorted(pairs["id"])
    assert judged.fold is not None
    assert judged.fold.to_list() == oof.folds(judged.pairs).to_list()
    assert judged.pairs["task"].to_list() == ["QC"] * 45 + ["QI"] * 45


def test_only_labelled_pairs_that_every_model_of_their_task_scored_are_judged() -> None:
    pairs, _, oof = evidence(90, seed=1)
    unlabelled = Pairs(pairs.frame.with_columns(pl.when(pl.col("id") != "0").then("label").alias("label")))
    partial = OutOfFold(oof.frame.filter((pl.col("id") != "1") | (pl.col("model") == "fine")))
    assert set(pairs["id"]) - set(cross_fitted(unlabelled, partial, SETTINGS).pairs["id"]) == {"0", "1"}


def test_a_model_of_one_task_leaves_the_other_task_alone() -> None:
    pairs, _, oof = evidence(90, seed=2)
    of_qc = pairs.of_task("QC")["id"].implode()
    partial = OutOfFold(oof.frame.filter(pl.col("id").is_in(of_qc) | (pl.col("model") == "fine")))
    weights = fit_chain(pairs, partial, SETTINGS).weights
    assert (set(weights["QC"]), weights["QI"]) == (set(MODELS), {"fine": 1.0})
    assert len(cross_fitted(pairs, partial, SETTINGS).pairs) == 90


def test_a_task_that_no_model_scored_is_left_out() -> None:
    pairs, _, oof = evidence(90, seed=2)
    only = OutOfFold(oof.frame.filter(pl.col("id").is_in(pairs.of_task("QC")["id"].implode())))
    assert set(fit_chain(pairs, only, SETTINGS).decision.tasks) == {"QC"}


def test_the_chain_learns_what_redecide_learns_from_the_scores_of_its_blend() -> None:
    pairs, scores, oof = evidence(300, seed=3)
    chain = fit_chain(pairs, oof, SETTINGS)
    members = {
        name: ByQuery(dict(zip(pairs["query"].to_list(), scores[:, n].tolist(), strict=True)))
        for n, name in enumerate(MODELS)
    }
    raw = Blend(members, chain.weights).score(pairs)
    assert redecide(pairs, raw, SETTINGS, rates_of(pairs)) == chain.decision


def test_the_better_model_weighs_more_unless_equal_weights_are_asked_for() -> None:
    pairs, _, oof = evidence(600, seed=4)
    fitted = fit_chain(pairs, oof, SETTINGS).weights["QC"]
    equal = fit_chain(pairs, oof, MergeSettings(blend="mean")).weights["QC"]
    assert fitted["fine"] > 0.6
    assert equal == {"fine": 0.5, "noisy": 0.5}


def test_pairs_without_text_teach_nothing_and_are_told_the_prior() -> None:
    pairs, _, oof = evidence(120, seed=5)
    emptied = Pairs(
        pairs.frame.with_columns(pl.when(pl.col("id") == "6").then(pl.lit("")).otherwise("query").alias("query"))
    )
    flipped = relabelled(emptied, pl.col("id") == "6")
    chain = fit_chain(emptied, oof, SETTINGS)
    assert fit_chain(flipped, oof, SETTINGS).decision == chain.decision
    judged = cross_fitted(emptied, oof, SETTINGS)
    others = pairs.filter((pl.col("task") == "QC") & (pl.int_range(pl.len()) % 3 != 0))
    row = judged.pairs["id"].to_list().index("6")
    assert judged.probability[row] == pytest.approx(others.labels.mean())


def test_a_task_of_one_class_is_refused_by_name() -> None:
    pairs, scores, oof = evidence(60, seed=6)
    relevant = Pairs(
        pairs.frame.with_columns(
            pl.when(pl.col("task") == "QI").then(1).otherwise("label").cast(pl.Int8).alias("label")
        )
    )
    rates = rates_of(relevant)
    for attempt in (
        lambda: fit_chain(relevant, oof, SETTINGS),
        lambda: redecide(relevant, scores[:, 0], SETTINGS, rates),
    ):
        with pytest.raises(DataError, match="task QI has 30 relevant and 0 irrelevant pairs"):
            attempt()


def test_a_single_fold_leaves_nothing_to_learn_from_and_is_refused() -> None:
    pairs, scores, _ = evidence(60, seed=6)
    with pytest.raises(DataError, match="task QC has 0 relevant and 0 irrelevant"):
        cross_fitted(pairs, out_of_fold(pairs, scores, ["0"] * 60, MODELS), SETTINGS)


def test_models_validated_on_different_folds_are_refused() -> None:
    pairs, scores, oof = evidence(60, seed=7)
    other = out_of_fold(pairs, scores[:, :1], ["0"] * 30 + ["1"] * 30, ["other"])
    with pytest.raises(DataError, match="different folds"):
        fit_chain(pairs, OutOfFold.concat([oof, other]), SETTINGS)


def test_models_that_share_no_pair_are_refused() -> None:
    pairs, _, oof = evidence(60, seed=7)
    apart = OutOfFold(oof.frame.filter((pl.col("model") == "fine") == (pl.col("fold") == "0")))
    with pytest.raises(DataError, match="no pair of task QC was scored by all of fine, noisy"):
        cross_fitted(pairs, apart, SETTINGS)


def test_scores_of_none_of_the_pairs_are_refused() -> None:
    pairs, _, _ = evidence(60, seed=8)
    with pytest.raises(DataError, match="no labelled pair has an out-of-fold score"):
        fit_chain(pairs, OutOfFold.concat([]), SETTINGS)


def test_a_dozen_rows_are_enough_to_decide() -> None:
    pairs, scores, _ = evidence(12, seed=1)
    decision = redecide(pairs, scores[:, 0], SETTINGS, rates_of(pairs))
    assert decision.decide(pairs, scores[:, 0]).decision.any()


@pytest.mark.parametrize("calibration", ["temperature", "isotonic"])
def test_a_part_with_too_many_relevant_pairs_decides_as_one_that_is_like_the_data(calibration: Any) -> None:
    chosen = MergeSettings(calibration=calibration)
    pairs, scores, _ = evidence(8000, seed=4)
    thinned = (pairs.labels == 1) | (np.arange(len(pairs)) % 8 < 2)
    fair = redecide(pairs, scores[:, 0], chosen, rates_of(pairs))
    told = redecide(pairs.filter(thinned), scores[thinned, 0], chosen, rates_of(pairs))
    naive = redecide(pairs.filter(thinned), scores[thinned, 0], chosen, rates_of(pairs.filter(thinned)))
    for task in pairs.tasks:
        own = pairs.of_task(task)
        said = {
            name: each.decide(own, scores[(pairs["task"] == task).to_numpy(), 0]).probability.mean()
            for name, each in (("fair", fair), ("told", told), ("naive", naive))
        }
        assert said["told"] == pytest.approx(said["fair"], abs=0.03)
        assert said["naive"] > said["fair"] + 0.1
        assert told.tasks[task].threshold == pytest.approx(fair.tasks[task].threshold, abs=0.08)
        assert told.tasks[task].prior == fair.tasks[task].prior
