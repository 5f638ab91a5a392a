import json
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.metrics import Confusion, Floats
from shopglot.core.pairs import Pairs
from shopglot.merge.calibrate import Calibration
from shopglot.merge.chain import CHOICES, cross_fitted, cross_fitted_choices, redecide
from shopglot.merge.decide import Decision, TaskDecision
from shopglot.merge.settings import MergeSettings
from shopglot.merge.slices import SliceThreshold, slice_thresholds
from shopglot.merge.threshold import steady_threshold
from tests.merge.doubles import out_of_fold, simulated

LANGUAGES = ("en", "fr", None, "ja")
TOPS = ("food", "home, kitchen and garden")
FINEST = MergeSettings(per="category", shrinkage=20)


def shop(
    rows: int, seed: int, *, task: str = "QC", languages: Sequence[str | None] = LANGUAGES
) -> tuple[Pairs, Floats]:
    """Return labelled pairs, whose scores are too low in French and too high in Japanese, with those scores."""
    labels, scores = simulated(rows, 1, seed)
    rng = np.random.default_rng(seed)
    language = [languages[n] for n in rng.integers(0, len(languages), rows)]
    shift = np.array([{"fr": -1.5, "ja": 1.5}.get(name or "", 0.0) for name in language])
    shifted = 1 / (1 + np.exp(-(np.log(scores[:, 0] / (1 - scores[:, 0])) + shift)))
    frame = pl.DataFrame(
        {
            "id": [str(n) for n in range(rows)],
            "task": [task] * rows,
            "query": [f"query {n}" for n in range(rows)],
            "target": [f"{TOPS[n]},shelf" for n in rng.integers(0, 2, rows)],
            "language": language,
            "label": labels,
        },
        schema_overrides={"language": pl.String},
    )
    return Pairs.from_frame(frame), shifted


def slices_of(pairs: Pairs, scores: Floats, chosen: MergeSettings, root: float = 0.5) -> dict[str, SliceThreshold]:
    found = slice_thresholds(pairs, scores, np.ones(len(pairs)), root, chosen)
    return {f"{each.language} {each.category or ''}".strip(): each for each in found}


def decision_of(pairs: Pairs, scores: Floats, chosen: MergeSettings = FINEST) -> Decision:
    return redecide(pairs, scores, chosen, {pairs.tasks[0]: float(pairs.labels.mean())})


def test_every_language_and_every_top_category_within_it_has_a_threshold() -> None:
    found = slices_of(*shop(400, seed=1), FINEST)
    assert set(found) == {
        name for language in ("en", "fr", "ja") for name in (language, *(f"{language} {top}" for top in TOPS))
    }


def test_a_coarser_setting_has_the_same_thresholds_of_fewer_slices() -> None:
    pairs, scores = shop(400, seed=1)
    finest = decision_of(pairs, scores).tasks["QC"]
    for per in ("none", "language", "category"):
        own = decision_of(pairs, scores, MergeSettings(per=per, shrinkage=20)).tasks["QC"]
        assert finest.at(per) == own
    assert finest.at("none").slices == ()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 300), st.floats(0, 1e4))
def test_a_threshold_lies_between_its_own_and_that_of_its_parent(seed: int, rows: int, shrinkage: float) -> None:
    pairs, scores = shop(rows, seed)
    found = slices_of(pairs, scores, MergeSettings(per="category", shrinkage=shrinkage))
    own = slices_of(pairs, scores, MergeSettings(per="category", shrinkage=0))
    assert found.keys() == own.keys()
    for name, each in found.items():
        parent = 0.5 if each.category is None else found[each.language].threshold
        low, high = sorted((parent, own[name].threshold))
        assert 0 <= low - 1e-6 <= each.threshold <= high + 1e-6 <= 1 + 1e-6


def test_with_few_relevant_pairs_it_is_the_parents_and_with_many_its_own() -> None:
    pairs, scores = shop(3000, seed=2)
    french = (pairs["language"] == "fr").fill_null(value=False).to_numpy()
    own = steady_threshold(pairs.filter(french).labels, scores[french])
    distances = [
        abs(slices_of(pairs, scores, MergeSettings(per="language", shrinkage=k))["fr"].threshold - own)
        for k in (0, 1, 100, 1e4, 1e9)
    ]
    assert distances[0] == pytest.approx(0, abs=1e-9)
    assert distances == sorted(distances)
    assert distances[-1] == pytest.approx(abs(0.5 - own), abs=1e-4)


def test_relevant_pairs_pull_from_the_parent_as_they_grow_in_number() -> None:
    pairs, scores = shop(40, seed=3, languages=("fr",))
    once = slices_of(pairs, scores, FINEST)["fr"].threshold
    copies = Pairs.concat([pairs] * 200)
    often = slices_of(copies, np.tile(scores, 200), FINEST)["fr"].threshold
    own = steady_threshold(copies.labels, np.tile(scores, 200))
    assert abs(often - own) < abs(once - own)
    assert often == pytest.approx(own, abs=0.02)


@pytest.mark.parametrize("label", [0, 1])
def test_a_slice_of_one_class_has_the_threshold_of_its_parent(label: int) -> None:
    pairs, scores = shop(400, seed=4)
    lonely = pl.col("language").eq_missing(pl.lit("ja")) & pl.col("target").str.starts_with("food")
    flipped = Pairs(pairs.frame.with_columns(label=pl.when(lonely).then(label).otherwise("label").cast(pl.Int8)))
    decision = decision_of(flipped, scores)
    known = {each.language: each.threshold for each in decision.tasks["QC"].slices if each.category is None}
    inside = flipped.frame.select(lonely.alias("lonely"))["lonely"].to_numpy()
    assert set(decision.decide(flipped, scores).threshold[inside]) == {known["ja"]}


def test_an_unknown_language_has_the_threshold_of_the_task_and_so_has_a_new_one_where_the_recipe_says_so() -> None:
    pairs, scores = shop(400, seed=5)
    for unlabelled, languages in (("left-out", (None,)), ("task", ("sw", None))):
        decision = decision_of(pairs, scores, FINEST.model_copy(update={"unlabelled": unlabelled}))
        new, theirs = shop(50, seed=6, languages=languages)
        assert set(decision.decide(new, theirs).threshold) == {decision.tasks["QC"].threshold}


def test_a_new_category_has_the_threshold_of_its_language() -> None:
    decision = decision_of(*shop(400, seed=5))
    pairs, scores = shop(20, seed=6, languages=("fr",))
    elsewhere = Pairs(pairs.frame.with_columns(target=pl.lit("toys,dolls")))
    own = {each.language: each.threshold for each in decision.tasks["QC"].slices if each.category is None}
    assert set(decision.decide(elsewhere, scores).threshold) == {own["fr"]}


def test_titles_name_no_category() -> None:
    pairs, scores = shop(400, seed=7, task="QI")
    assert set(slices_of(pairs, scores, FINEST)) == {"en", "fr", "ja"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.data())
def test_the_decision_of_a_row_does_not_depend_on_the_others(seed: int, data: st.DataObject) -> None:
    pairs, scores = shop(120, seed)
    decision = decision_of(pairs, scores)
    whole = decision.decide(pairs, scores)
    order = np.array(data.draw(st.permutations(range(120))))[: data.draw(st.integers(1, 120))]
    some = decision.decide(Pairs(pairs.frame[order]), scores[order])
    assert some.threshold.tolist() == whole.threshold[order].tolist()
    assert some.decision.tolist() == whole.decision[order].tolist()


def test_slices_survive_json_and_a_decision_of_an_earlier_version_has_none() -> None:
    decision = decision_of(*shop(400, seed=8))
    tree = json.loads(decision.model_dump_json())
    assert Decision.model_validate(tree) == decision
    del tree["tasks"]["QC"]["slices"]
    assert Decision.model_validate(tree).tasks["QC"].slices == ()


def test_a_slice_named_twice_is_refused() -> None:
    twice = SliceThreshold(language="fr", relevant=3, threshold=0.4)
    with pytest.raises(ValueError, match="fr"):
        TaskDecision(calibration=Calibration(kind="none"), threshold=0.5, prior=0.5, slices=(twice, twice))


def test_where_a_languages_scores_are_off_its_own_threshold_gains_and_noise_costs_little() -> None:
    pairs, scores = shop(6000, seed=9)
    oof = out_of_fold(pairs, scores[:, np.newaxis], [str(n % 3) for n in range(len(pairs))], ["only"])
    judged = cross_fitted_choices(pairs, oof, MergeSettings())
    f1 = {name: Confusion.of(each.pairs.labels, each.decision).f1 for name, each in judged.items()}
    assert f1["language"] > f1["none"] + 0.01
    assert f1["category"] > f1["language"] - 0.003


def test_each_choice_is_what_the_chain_would_decide_with_that_setting() -> None:
    pairs, scores = shop(300, seed=10)
    oof = out_of_fold(pairs, scores[:, np.newaxis], [str(n % 3) for n in range(len(pairs))], ["only"])
    choices = cross_fitted_choices(pairs, oof, FINEST)
    assert tuple(choices) == CHOICES
    for per in ("none", "language", "category"):
        alone = cross_fitted(pairs, oof, FINEST.model_copy(update={"per": per}))
        assert choices[per].decision.tolist() == alone.decision.tolist()
    assert choices["0.5"].decision.tolist() == (choices["none"].probability >= 0.5).tolist()
