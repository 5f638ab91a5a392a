"""What a cascade decides, and that it decides as a bundle does."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import BundleError
from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided, Decider
from shopglot.serve.cascade.cascade import Band, Cascade, Cost, Stage, Unsure
from tests.serve.deciders import ByColumn, table

EVERYTHING: Unsure = {"QC": Band(0.0, 1.0), "QI": Band(0.0, 1.0)}
NOTHING: Unsure = {"QC": None, "QI": None}
MIDDLE: Unsure = {"QC": Band(0.3, 0.7), "QI": Band(0.4, 0.6)}

probabilities = st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=20)


def pairs_of(rows: list[tuple[float, ...]]) -> Pairs:
    one, two, three = (list(column) for column in zip(*rows, strict=True))
    return table({"one": one, "two": two, "three": three})


def cascade_of(*unsure: Unsure) -> Cascade:
    names = ("one", "two", "three")[: len(unsure)]
    return Cascade(tuple(Stage(name, ByColumn(name), own) for name, own in zip(names, unsure, strict=True)))


def said(decided: Decided) -> list[list[float | bool | str | None]]:
    read, stage = decided.read, decided.stage
    return [
        decided.probability.tolist(),
        decided.decision.tolist(),
        decided.threshold.tolist(),
        [] if read is None else read.to_list(),
        [] if stage is None else stage.to_list(),
    ]


def asked(decider: Decider) -> list[str]:
    assert isinstance(decider, ByColumn)
    return decider.asked


@given(probabilities)
def test_a_cascade_that_is_never_sure_decides_as_its_last_stage(rows: list[tuple[float, ...]]) -> None:
    pairs = pairs_of(rows)
    decided = cascade_of(EVERYTHING, EVERYTHING, NOTHING).score_clean(pairs)
    assert said(decided)[:4] == said(ByColumn("three").score_clean(pairs))[:4]


@given(probabilities)
def test_a_cascade_that_is_always_sure_decides_as_its_first_stage(rows: list[tuple[float, ...]]) -> None:
    pairs = pairs_of(rows)
    cascade = cascade_of(NOTHING, EVERYTHING, NOTHING)
    assert said(cascade.score_clean(pairs))[:4] == said(ByColumn("one").score_clean(pairs))[:4]
    assert asked(cascade.stages[1].decider) == []


@given(probabilities, st.randoms(use_true_random=False))
def test_what_is_decided_about_a_pair_does_not_depend_on_the_others(
    rows: list[tuple[float, ...]], random: Random
) -> None:
    pairs, cascade = pairs_of(rows), cascade_of(MIDDLE, MIDDLE, NOTHING)
    together = said(cascade.score_clean(pairs))
    order = random.sample(range(len(pairs)), random.randint(1, len(pairs)))
    apart = said(cascade.score_clean(Pairs(pairs.frame[order])))
    assert apart == [[column[row] for row in order] for column in together]


@given(probabilities)
def test_each_stage_is_asked_only_what_the_one_before_was_unsure_of(rows: list[tuple[float, ...]]) -> None:
    pairs, cascade = pairs_of(rows), cascade_of(MIDDLE, MIDDLE, NOTHING)
    stage = cascade.score_clean(pairs).stage
    assert stage is not None
    expected = []
    for task, one, two in zip(pairs["task"], pairs["own:one"], pairs["own:two"], strict=True):
        low, high = MIDDLE[task] or (1.0, 0.0)
        expected.append("one" if not low <= one <= high else "two" if not low <= two <= high else "three")
    assert stage.to_list() == expected
    assert len(asked(cascade.stages[2].decider)) == expected.count("three")


def test_a_pair_without_a_text_keeps_the_prior_of_the_first_stage() -> None:
    pairs = Pairs.from_frame(pairs_of([(0.3, 0.9, 0.9)]).frame.with_columns(query=None))
    decided = cascade_of(EVERYTHING, NOTHING).score_clean(pairs)
    assert said(decided)[0] == [0.3]
    assert said(decided)[4] == ["one"]


def test_a_stage_is_asked_only_the_tasks_that_it_reads() -> None:
    pairs = pairs_of([(0.5, 0.9, 0.2), (0.5, 0.8, 0.1)])
    decided = cascade_of({"QI": Band(0.4, 0.6)}, {"QC": None}, {"QI": None}).score_clean(pairs)
    assert said(decided)[0] == [0.9, 0.1]
    assert said(decided)[4] == ["two", "three"]


def test_a_task_that_no_stage_reads_is_refused() -> None:
    with pytest.raises(BundleError, match="the cascade decides QC, not QI; leave those pairs out"):
        cascade_of({"QC": None}).score_clean(pairs_of([(0.1, 0.1, 0.1)] * 2))


def test_no_pairs_are_no_decisions() -> None:
    assert said(cascade_of(MIDDLE, NOTHING).score_clean(pairs_of([(0.5, 0.5, 0.5)]).filter(np.array([False]))))[0] == []


def test_every_stage_gets_to_know_the_paths_of_the_shop() -> None:
    known = cascade_of(MIDDLE, NOTHING).knowing(path for path in ("food,tea", "home"))
    assert [getattr(stage.decider, "known") for stage in known.stages] == [{"food,tea", "home"}] * 2  # noqa: B009


def test_stages_that_clean_texts_differently_are_refused() -> None:
    other = replace(ByColumn("two"), curate=CurateSettings(correct_language=True))
    with pytest.raises(BundleError, match="one and two clean texts differently"):
        Cascade((Stage("one", ByColumn("one"), MIDDLE), Stage("two", other, NOTHING)))


@pytest.mark.parametrize("names", [[], ["one", "one"]])
def test_stages_need_names_of_their_own(names: list[str]) -> None:
    with pytest.raises(BundleError, match="names of their own"):
        Cascade(tuple(Stage(name, ByColumn("one"), NOTHING) for name in names))


def timed(cost: Cost) -> Cascade:
    deciders = {name: ByColumn(name) for name in ("one", "two")}
    return Cascade((Stage("one", deciders["one"], EVERYTHING), Stage("two", deciders["two"], NOTHING, cost)))


def test_within_enough_time_all_is_decided_as_without_a_deadline() -> None:
    pairs = pairs_of([(0.1 * n, 0.9 - 0.1 * n, 0.0) for n in range(9)])
    assert said(timed(Cost(0.0, 0.0)).score_within(pairs, 60.0)) == said(timed(Cost(0.0, 0.0)).score_clean(pairs))


def test_the_least_sure_pairs_that_fit_the_deadline_go_on_and_the_others_stay_decided() -> None:
    pairs = pairs_of([(0.9, 0.0, 0.0), (0.45, 0.0, 0.0), (0.1, 0.9, 0.0), (0.6, 0.0, 0.0)])
    decided = timed(Cost(pair=25.0, text=0.0, call=10.0)).score_within(pairs, 60.5)
    assert said(decided)[4] == ["one", "two", "one", "two"]
    assert said(decided)[1] == [True, False, False, False]


def test_when_no_time_is_left_the_first_stage_decides_all() -> None:
    pairs = pairs_of([(0.5, 0.9, 0.0)] * 3)
    assert said(timed(Cost(1.0, 1.0)).score_within(pairs, 0.0))[4] == ["one"] * 3


def test_a_deadline_cuts_short_the_pairs_that_a_later_stage_was_not_asked() -> None:
    pairs = pairs_of([(0.9, 0.0, 0.0), (0.45, 0.0, 0.0), (0.1, 0.9, 0.0), (0.6, 0.0, 0.0)])
    cascade = timed(Cost(pair=25.0, text=0.0, call=10.0))
    assert cascade.cut_short(pairs, cascade.score_within(pairs, 60.5)).tolist() == [True, False, True, False]
    assert not cascade.cut_short(pairs, cascade.score_clean(pairs)).any()


def test_a_stage_that_is_the_last_to_read_a_task_is_never_cut_short() -> None:
    pairs, late = pairs_of([(0.5, 0.9, 0.0)] * 2), Stage("two", ByColumn("two"), {"QC": None}, Cost(10.0, 10.0))
    cascade = Cascade((Stage("one", ByColumn("one"), EVERYTHING), late))
    assert cascade.cut_short(pairs, cascade.score_within(pairs, 0.0)).tolist() == [True, False]


def test_a_task_that_only_a_late_stage_reads_is_decided_whatever_the_time() -> None:
    late = Stage("two", ByColumn("two"), {"QC": None, "QI": None}, Cost(10.0, 10.0))
    cascade = Cascade((Stage("one", ByColumn("one"), {"QC": Band(0.0, 1.0)}), late))
    assert said(cascade.score_within(pairs_of([(0.5, 0.9, 0.0)] * 2), 0.0))[4] == ["one", "two"]
