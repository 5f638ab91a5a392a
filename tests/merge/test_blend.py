from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shopglot.core.errors import BundleError
from shopglot.core.files import write_json
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.merge.blend import Blend, Mean, blended, load_scorer
from tests.merge.doubles import LOADERS, ByQuery, Unsavable, table

PAIRS = table(["QC", "QI", "QC"], [1, 0, 0], ["a", "b", "c"])
SURE = ByQuery({"a": 0.9, "b": 0.8, "c": 0.1})
UNSURE = ByQuery({"a": 0.6, "b": 0.4, "c": 0.5})

Weights = dict[Task, dict[str, float]]

probabilities = st.floats(0.0, 1.0)
shares = arrays.arrays(np.float64, 3, elements=st.sampled_from([0.0, 1.0, 2.0])).filter(lambda some: some.sum() > 0)


@given(arrays.arrays(np.float64, (4, 3), elements=probabilities), shares)
def test_a_blend_lies_between_the_lowest_and_the_highest_member_that_counts(scores: Floats, some: Floats) -> None:
    blend = blended(scores, some / some.sum())
    used = scores[:, some > 0]
    assert np.all(used.min(axis=1) <= blend)
    assert np.all(blend <= used.max(axis=1))


def test_a_blend_is_the_weighted_mean_of_log_odds() -> None:
    odds = (0.9 / 0.1) ** 0.25 * (0.6 / 0.4) ** 0.75
    assert blended(np.array([[0.9, 0.6]]), np.array([0.25, 0.75])) == pytest.approx([odds / (1 + odds)])


def test_a_member_that_answers_exactly_one_does_not_silence_the_others() -> None:
    assert blended(np.array([[1.0, 0.001]]), np.array([0.2, 0.8]))[0] < 0.5


def test_a_mean_averages_probabilities() -> None:
    assert Mean([SURE, UNSURE]).score(PAIRS) == pytest.approx([0.75, 0.6, 0.3])


def test_each_task_of_a_blend_has_its_own_weights_and_the_rows_keep_their_order() -> None:
    blend = Blend({"sure": SURE, "unsure": UNSURE}, {"QC": {"sure": 1.0}, "QI": {"unsure": 1.0}})
    assert blend.score(PAIRS) == pytest.approx([0.9, 0.4, 0.1])


def test_a_model_without_weight_is_not_asked() -> None:
    idle, half = ByQuery({"a": 0.5, "b": 0.5, "c": 0.5}), ByQuery({"a": 0.5, "b": 0.5, "c": 0.5})
    weights: Weights = {"QC": {"idle": 0.0, "half": 1.0}, "QI": {"sure": 1.0}}
    Blend({"sure": SURE, "idle": idle, "half": half}, weights).score(PAIRS)
    assert (idle.asked, half.asked) == ([], ["0", "2"])


def test_a_pair_gets_the_same_score_alone_and_among_others() -> None:
    blend = Blend({"sure": SURE, "unsure": UNSURE}, {t: {"sure": 0.3, "unsure": 0.7} for t in PAIRS.tasks})
    alone = [blend.score(PAIRS.filter(np.arange(3) == row))[0] for row in range(3)]
    assert blend.score(PAIRS).tolist() == alone


def test_a_task_without_weights_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match="scores QC, not QI"):
        Blend({"sure": SURE}, {"QC": {"sure": 1.0}}).score(PAIRS)


@pytest.mark.parametrize("weights", [{"other": 1.0}, {"sure": 0.5}, {"sure": 2.0, "unsure": -1.0}, {}])
def test_weights_that_are_no_weights_of_the_members_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(BundleError, match="QC"):
        Blend({"sure": SURE, "unsure": UNSURE}, {"QC": weights})


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(BundleError, match="at least one"):
        Mean([])


def test_a_nested_blend_scores_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    folds = Mean([SURE, UNSURE])
    inner = Blend({"x": UNSURE}, {"QC": {"x": 1.0}, "QI": {"x": 1.0}})
    weights: Weights = {"QC": {"hub/name": 0.3, "inner": 0.7}, "QI": {"hub/name": 1.0}}
    outer = Blend({"hub/name": folds, "inner": inner}, weights)
    outer.save(tmp_path)
    assert load_scorer(tmp_path, LOADERS).score(PAIRS).tolist() == outer.score(PAIRS).tolist()


def test_a_scorer_that_is_not_made_of_scorers_is_read_by_its_loader(tmp_path: Path) -> None:
    SURE.save(tmp_path)
    assert load_scorer(tmp_path, LOADERS).score(PAIRS).tolist() == SURE.score(PAIRS).tolist()


def test_an_unknown_kind_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    write_json(tmp_path / "scorer.json", {"kind": "oracle"})
    with pytest.raises(BundleError, match="'oracle'; there are mean, blend, by query"):
        load_scorer(tmp_path, LOADERS)


def test_a_folder_without_a_scorer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"scorer\.json"):
        load_scorer(tmp_path, LOADERS)


def test_what_holds_an_unsavable_scorer_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Unsavable"):
        Mean([Unsavable()]).save(tmp_path)
