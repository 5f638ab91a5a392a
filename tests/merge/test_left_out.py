"""Languages without labels: their threshold, and what it is judged by, know nothing of their labels."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.metrics import Confusion, Floats
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold
from shopglot.merge.calibrate import fit_calibration
from shopglot.merge.chain import UNLABELLED, cross_fitted, cross_fitted_unlabelled, redecide
from shopglot.merge.decide import Decision
from shopglot.merge.left_out import labelled_languages, left_out_threshold
from shopglot.merge.settings import MergeSettings
from shopglot.merge.threshold import steady_threshold
from tests.merge.doubles import out_of_fold
from tests.merge.test_slices import shop

SETTINGS = MergeSettings(shrinkage=20)
LANGUAGES = ("en", "fr", "ja", None)


def threshold_of(pairs: Pairs, scores: Floats, chosen: MergeSettings = SETTINGS) -> float:
    found = left_out_threshold(pairs, scores, np.ones(len(pairs)), chosen)
    assert found is not None
    return found


def folds_of(pairs: Pairs, scores: Floats) -> OutOfFold:
    return out_of_fold(pairs, scores[:, np.newaxis], [str(n % 3) for n in range(len(pairs))], ["only"])


def flipped(pairs: Pairs, rows: pl.Expr) -> Pairs:
    return Pairs(pairs.frame.with_columns(label=pl.when(rows).then(1 - pl.col("label")).otherwise("label")))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["en", "fr", "ja"]), st.booleans())
def test_no_label_of_a_language_has_a_part_in_how_it_is_judged_without_labels(
    seed: int, language: str, isotonic: bool
) -> None:
    pairs, scores = shop(240, seed, languages=LANGUAGES)
    chosen = SETTINGS.model_copy(update={"calibration": "isotonic" if isotonic else "temperature"})
    own = (pairs["language"] == language).fill_null(value=False).to_numpy()
    other = flipped(pairs, pl.col("language").eq_missing(pl.lit(language)))
    before, after = (cross_fitted_unlabelled(each, folds_of(each, scores), chosen) for each in (pairs, other))
    for how in UNLABELLED:
        assert before[how].probability[own].tolist() == after[how].probability[own].tolist()
        assert before[how].decision[own].tolist() == after[how].decision[own].tolist()


def test_the_labels_of_the_other_languages_do_have_a_part() -> None:
    pairs, scores = shop(240, seed=1, languages=LANGUAGES)
    other = flipped(pairs, pl.col("language") == "en")
    before, after = (cross_fitted_unlabelled(each, folds_of(each, scores), SETTINGS) for each in (pairs, other))
    french = (pairs["language"] == "fr").fill_null(value=False).to_numpy()
    for how in UNLABELLED:
        assert before[how].probability[french].tolist() != after[how].probability[french].tolist()


def test_pairs_of_no_known_language_are_judged_as_ever_and_all_pairs_stand_where_they_stood() -> None:
    pairs, scores = shop(240, seed=2, languages=LANGUAGES)
    oof = folds_of(pairs, scores)
    found, whole = cross_fitted_unlabelled(pairs, oof, SETTINGS), cross_fitted(pairs, oof, SETTINGS)
    nobody = pairs["language"].is_null().to_numpy()
    for how in UNLABELLED:
        assert found[how].pairs["id"].equals(whole.pairs["id"])
        assert found[how].decision[nobody].tolist() == whole.decision[nobody].tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.permutations(range(200)))
def test_the_threshold_depends_on_neither_the_order_nor_the_names(seed: int, order: list[int]) -> None:
    pairs, scores = shop(200, seed, languages=LANGUAGES)
    named = Pairs(pairs.frame[order].with_columns(pl.col("language").replace({"en": "zu", "fr": "aa"})))
    assert threshold_of(named, scores[order]) == pytest.approx(threshold_of(pairs, scores), abs=1e-6)


def test_it_is_chosen_on_what_the_others_make_of_each_language() -> None:
    pairs, scores = shop(300, seed=3, languages=("en", "fr"))
    even = SETTINGS.model_copy(update={"shrinkage": 0.0})
    probability, counts = np.empty(300), np.empty(300)
    for name in ("en", "fr"):
        own = (pairs["language"] == name).to_numpy()
        probability[own] = fit_calibration(pairs.labels[~own], scores[~own], "temperature")(scores[own])
        counts[own] = 150 / own.sum()
    expected = steady_threshold(pairs.labels, probability, counts)
    assert threshold_of(pairs, scores, even) == pytest.approx(expected, abs=1e-6)


def test_a_language_counts_as_one_however_many_pairs_it_has() -> None:
    pairs, scores = shop(900, seed=4, languages=("en", "fr", "ja"))
    english = np.flatnonzero((pairs["language"] == "en").to_numpy())
    rows = np.concatenate([np.arange(900), np.tile(english, 9)])
    often = Pairs(pairs.frame[rows])
    even = SETTINGS.model_copy(update={"shrinkage": 0.0, "calibration": "none"})
    assert threshold_of(often, scores[rows], even) == pytest.approx(threshold_of(pairs, scores, even), abs=0.02)
    pooled = [steady_threshold(each.labels, own) for each, own in ((pairs, scores), (often, scores[rows]))]
    assert abs(pooled[1] - pooled[0]) > 0.02


def test_a_language_with_a_handful_of_pairs_hardly_counts() -> None:
    pairs, scores = shop(900, seed=5, languages=("en", "fr"))
    few = Pairs(
        pairs.frame.with_columns(
            pl.when(pl.int_range(pl.len()) < 6).then(pl.lit("ja")).otherwise("language").alias("language"),
            pl.when(pl.int_range(pl.len()) < 6)
            .then(pl.int_range(pl.len()) % 2)
            .otherwise("label")
            .cast(pl.Int8)
            .alias("label"),
        )
    )
    chosen = SETTINGS.model_copy(update={"shrinkage": 300.0})
    assert threshold_of(few, scores, chosen) == pytest.approx(threshold_of(pairs, scores, chosen), abs=0.02)


@pytest.mark.parametrize("languages", [("en",), (None,)])
def test_one_language_alone_says_nothing_of_others(languages: tuple[str | None, ...]) -> None:
    pairs, scores = shop(100, seed=6, languages=languages)
    assert left_out_threshold(pairs, scores, np.ones(100), SETTINGS) is None
    found = cross_fitted_unlabelled(pairs, folds_of(pairs, scores), SETTINGS)
    whole = cross_fitted(pairs, folds_of(pairs, scores), SETTINGS)
    assert all(each.decision.tolist() == whole.decision.tolist() for each in found.values())


def test_a_language_of_one_class_is_not_among_the_labelled() -> None:
    pairs, _ = shop(100, seed=7)
    one = Pairs(pairs.frame.with_columns(label=pl.when(pl.col("language") == "fr").then(1).otherwise("label")))
    assert labelled_languages(pairs) == ("en", "fr", "ja")
    assert labelled_languages(one) == ("en", "ja")


def test_a_new_language_gets_it_and_the_decision_carries_it_to_another_machine() -> None:
    pairs, scores = shop(400, seed=8)
    decision = redecide(pairs, scores, SETTINGS, {"QC": float(pairs.labels.mean())})
    own = decision.tasks["QC"]
    new, theirs = shop(50, seed=9, languages=("sw",))
    assert set(decision.decide(new, theirs).threshold) == {own.unlabelled}
    assert own.unlabelled != own.threshold
    tree = json.loads(decision.model_dump_json())
    assert Decision.model_validate(tree) == decision
    for key in ("labelled", "unlabelled"):
        del tree["tasks"]["QC"][key]
    earlier = Decision.model_validate(tree)
    assert set(earlier.decide(new, theirs).threshold) == {own.threshold}
    assert own.at("0.5").unlabelled is None


def test_where_each_language_is_off_in_its_own_way_it_loses_less_than_the_threshold_of_the_task() -> None:
    pairs, scores = shop(6000, seed=9, languages=("en", "fr", "ja"))
    found = cross_fitted_unlabelled(pairs, folds_of(pairs, scores), MergeSettings())
    f1 = {
        how: np.mean(
            [
                Confusion.of(each.pairs.labels[rows], each.decision[rows]).f1
                for language in ("en", "fr", "ja")
                for rows in [(pairs["language"] == language).to_numpy()]
            ]
        )
        for how, each in found.items()
    }
    assert f1["left-out"] > f1["task"] + 0.01
