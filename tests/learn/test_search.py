"""A search draws from its space, goes on after a kill to the trials of one that was not killed, and says little."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages.journal import JournalFileBackend
from pydantic import ValidationError

from shopglot.core.errors import RecipeError
from shopglot.learn.search import Measured, Trial, Values, search
from shopglot.learn.sweep_settings import Choices, Domain, Range, SweepSettings
from tests.learn.doubles import Killed

SPACE: dict[str, Domain] = {
    "rate": Range(low=1e-5, high=1e-3, log=True),
    "steps": Range(low=10, high=90),
    "hidden": Choices(choices=([64, 32], None, {"width": 8})),
}
TRIALS = 13  # three more than Optuna draws at random

wholes = st.integers(1, 1000)
fractions = st.floats(1e-6, 1e3)
ends = st.tuples(wholes, wholes) | st.tuples(fractions, fractions)
ranges = st.builds(
    lambda pair, log: Range(low=min(pair), high=max(pair), log=log),
    ends.filter(lambda pair: pair[0] != pair[1]),
    st.booleans(),
)
texts = st.text("aé緑0: #-[{'\"", max_size=4)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | texts
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner))
choices = st.builds(Choices, choices=st.lists(anything, min_size=1, max_size=4).map(tuple))
spaces = st.dictionaries(st.sampled_from(["learn.0.steps", "learn.1", "merge.blend"]), ranges | choices, min_size=1)


def measured(values: Values) -> Measured:
    rate, steps = values["rate"], values["steps"]
    assert isinstance(rate, float)
    assert isinstance(steps, int)
    score = 1 / (1 + (math.log10(rate) + 4) ** 2 + steps / 100 + (values["hidden"] is None))
    return Measured(pr_auc={"QC": score, "QI": score / 2}, f1={"QC": 0.5, "QI": 0.5}, seconds=1.0)


def whole(folder: Path, *, trials: int = TRIALS, seed: int = 3) -> list[Trial]:
    return search(SPACE, measured, folder / "study.journal", trials, seed)


@given(spaces)
@settings(max_examples=25)
def test_a_space_survives_yaml_and_every_drawn_value_lies_in_it(space: dict[str, Domain]) -> None:
    written = yaml.safe_dump(SweepSettings(space=space).model_dump(mode="json"), allow_unicode=True)
    assert SweepSettings.model_validate(yaml.safe_load(written)).space == space
    reached = Measured(pr_auc={"QC": 0.5}, f1={"QC": 0.5}, seconds=0.0)
    with TemporaryDirectory() as folder:
        trials = search(space, lambda values: reached, Path(folder) / "study.journal", 2, seed=0)
    assert [trial.number for trial in trials] == [1, 2]
    for key, domain in space.items():
        for value in (trial.values[key] for trial in trials):
            match domain:
                case Range(low=low, high=high):
                    assert isinstance(value, int if isinstance(low, int) else float)
                    assert low <= value <= high
                case Choices(choices=known):
                    assert value in known


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ({"low": 3, "high": 2}, "let low be below high"),
        ({"low": 2, "high": 2}, "let low be below high"),
        ({"low": 0, "high": 2, "log": True}, "no logarithm"),
        ({"low": 1}, "Field required"),
        ({"low": 1, "high": float("inf")}, "finite"),
        ({"choices": []}, "at least 1"),
        ({"choices": [1], "low": 1}, "Extra inputs"),
        (5, "valid dictionary"),
    ],
)
def test_a_domain_that_cannot_be_drawn_from_is_refused(domain: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SweepSettings.model_validate({"space": {"learn.0.steps": domain}})


def test_numbers_that_yaml_takes_for_texts_are_numbers() -> None:
    space = yaml.safe_load("space: {rate: {low: 1e-5, high: 1e-3}}")
    assert SweepSettings.model_validate(space).space["rate"].corners == (1e-5, 1e-3)


def test_a_search_draws_other_values_from_another_seed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    values = [trial.values for trial in whole(tmp_path, trials=2)]
    assert values[0] != values[1]
    assert [trial.values for trial in whole(tmp_path / "other", trials=2, seed=4)] != values


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    return whole(tmp_path_factory.mktemp("search"))


def test_a_search_with_more_trials_goes_on_as_if_it_had_never_ended(tmp_path: Path, uninterrupted: list[Trial]) -> None:
    assert whole(tmp_path, trials=4) == uninterrupted[:4]
    assert whole(tmp_path) == uninterrupted
    assert whole(tmp_path, trials=4) == uninterrupted


@pytest.mark.parametrize("last", [1, 6, TRIALS])
def test_a_killed_trial_is_taken_up_again_with_its_values(
    tmp_path: Path, uninterrupted: list[Trial], last: int
) -> None:
    seen: list[Values] = []

    def deadly(values: Values) -> Measured:
        seen.append(values)
        if len(seen) == last:
            raise Killed
        return measured(values)

    with pytest.raises(Killed):
        search(SPACE, deadly, tmp_path / "study.journal", TRIALS, seed=3)
    resumed = search(SPACE, deadly, tmp_path / "study.journal", TRIALS, seed=3)
    assert seen[last] == seen[last - 1]
    assert resumed == uninterrupted


@given(st.lists(st.integers(0, 12), min_size=1, max_size=3))
@settings(max_examples=15)
def test_a_search_killed_at_any_write_ends_with_the_trials_of_one_that_was_not(
    uninterrupted: list[Trial], lives: list[int]
) -> None:
    append = JournalFileBackend.append_logs

    def dying_after(writes: int) -> Callable[[JournalFileBackend, list[dict[str, Any]]], None]:
        left = iter(range(writes))

        def append_logs(backend: JournalFileBackend, logs: list[dict[str, Any]]) -> None:
            if next(left, None) is None:
                raise Killed
            append(backend, logs)

        return append_logs

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for writes in lives:
            patch.setattr(JournalFileBackend, "append_logs", dying_after(writes))
            with pytest.raises(Killed):
                whole(Path(folder))
        patch.setattr(JournalFileBackend, "append_logs", append)
        assert whole(Path(folder), trials=8) == uninterrupted[:8]


def test_values_that_do_not_go_together_cost_a_trial_and_are_left_out(tmp_path: Path) -> None:
    def picky(values: Values) -> Measured | None:
        return None if values["hidden"] is None else measured(values)

    found = search(SPACE, picky, tmp_path / "study.journal", 8, seed=3)
    assert 0 < len(found) < 8
    assert all(trial.values["hidden"] is not None for trial in found)
    assert {trial.number for trial in found} < set(range(1, 9))


def test_what_was_drawn_at_random_teaches_where_to_look(uninterrupted: list[Trial]) -> None:
    reached = [trial.measured.objective for trial in uninterrupted]
    assert np.mean(reached[10:]) > np.mean(reached[:10])


def test_the_objective_is_the_mean_of_the_tasks() -> None:
    assert Measured({"QC": 0.9, "QI": 0.5}, {"QC": 0.0, "QI": 0.0}, 1.0).objective == pytest.approx(0.7)


def test_optuna_keeps_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole(tmp_path, trials=2)
    assert capfd.readouterr() == ("", "")


def test_a_search_without_optuna_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RecipeError, match=r"needs optuna: pip install 'shopglot\[train\]'"):
        whole(tmp_path)
