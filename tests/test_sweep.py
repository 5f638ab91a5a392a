"""Whole sweeps: their trials share pairs and folds, go on after a kill, and leave a recipe that runs."""

from pathlib import Path
from typing import Any

import pytest

from shopglot.config import Recipe, load_recipe
from shopglot.core.errors import RecipeError
from shopglot.core.files import read_json
from shopglot.learn.embedding import EmbeddingLearner
from shopglot.pipeline import run, sweep
from shopglot.report.sweep import Sweep
from tests.learn.doubles import Killed
from tests.test_pipeline import recipe

pytestmark = pytest.mark.usefixtures("full_precision")
SPACE = {"learn.1.seed": {"low": 0, "high": 10**6}, "merge.calibration": {"choices": ["temperature", "isotonic"]}}


def swept(model: Path) -> Recipe:
    embedding = {"learner": "embedding", "model": str(model), "hidden": [4], "networks": 1}
    return recipe(learn=[{"learner": "lexical"}, embedding], sweep={"trials": 2, "space": SPACE})


def reached(found: Sweep) -> list[Any]:
    """What a sweep found, without the seconds."""
    return [(trial.number, trial.values, trial.measured.pr_auc, trial.measured.f1) for trial in found.trials]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> tuple[Path, Sweep]:
    folder = tmp_path_factory.mktemp("sweeps") / "done"
    return folder, sweep(swept(tiny_bert), folder)


def test_a_sweep_leaves_its_table_its_page_and_no_models(done: tuple[Path, Sweep]) -> None:
    folder, found = done
    assert [trial.number for trial in found.trials] == [1, 2]
    assert [each["number"] for each in read_json(folder / "sweep.json")["trials"]] == [t.number for t in found.ranked]
    assert "<html" in (folder / "sweep.html").read_text(encoding="utf-8")
    assert not list(folder.rglob("*.safetensors"))
    assert not list(folder.rglob("*.part"))


def test_the_best_recipe_runs_and_reaches_out_of_fold_what_its_trial_did(
    done: tuple[Path, Sweep], tmp_path: Path
) -> None:
    folder, found = done
    best = load_recipe(folder / "best.yaml")
    assert best.sweep is None
    report = run(best, tmp_path)
    measured = found.best.measured
    judged = report.evidence["out-of-fold"]
    assert {task: judged[task].pr_auc for task in measured.pr_auc} == pytest.approx(measured.pr_auc)
    assert {task: judged[task].f1 for task in measured.f1} == pytest.approx(measured.f1)


def test_a_killed_sweep_goes_on_to_the_trials_of_one_that_was_not(
    done: tuple[Path, Sweep], tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []
    fit = EmbeddingLearner.fit

    def deadly(learner: EmbeddingLearner, *arguments: Any) -> Any:
        fitted.append(learner.settings.seed)
        if len(fitted) == 4:
            raise Killed
        return fit(learner, *arguments)

    monkeypatch.setattr(EmbeddingLearner, "fit", deadly)
    with pytest.raises(Killed):
        sweep(swept(tiny_bert), tmp_path)
    assert reached(sweep(swept(tiny_bert), tmp_path)) == reached(done[1])
    first, second = (trial.values["learn.1.seed"] for trial in done[1].trials)
    assert fitted == [first, first, second, second, second]  # a finished fold is not fitted again


def test_a_learner_that_trials_share_is_fitted_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    calibrations = {"merge.calibration": {"choices": ["temperature", "isotonic", "none"]}}
    with caplog.at_level("INFO", logger="shopglot"):
        found = sweep(recipe(sweep={"trials": 5, "space": calibrations}), tmp_path)
    assert len(found.trials) == 5
    assert len([line for line in caplog.messages if line.startswith("fitting")]) == 2


def test_a_sweep_goes_on_with_more_trials_but_not_with_another_space(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    space: dict[str, Any] = {"merge.calibration": {"choices": ["temperature", "isotonic"]}}
    first = sweep(recipe(sweep={"trials": 2, "space": space}), tmp_path)
    caplog.clear()
    with caplog.at_level("INFO", logger="shopglot"):
        more = sweep(recipe(sweep={"trials": 4, "space": space}), tmp_path)
    assert reached(more)[:2] == reached(first)
    assert [line[:10] for line in caplog.messages if line.startswith("trial")] == ["trial 3 of", "trial 4 of"]
    space["merge.calibration"]["choices"] = ["temperature", "none"]
    with pytest.raises(RecipeError, match="holds a run of another recipe"):
        sweep(recipe(sweep={"trials": 4, "space": space}), tmp_path)


def test_values_that_do_not_go_together_are_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    space = {
        "learn.0.name": {"choices": ["lexical", "twin"]},
        "learn.1.name": {"choices": ["embedding", "twin"]},
    }
    learners = [{"learner": "lexical"}, {"learner": "lexical", "name": "embedding"}]
    found = sweep(recipe(seed=1, learn=learners, sweep={"trials": 4, "space": space}), tmp_path)
    left_out = [line for line in caplog.messages if line.startswith("left out: ")]
    assert left_out
    assert all("two learners share a name" in line for line in left_out)
    assert len(found.trials) + len(left_out) == 4
    assert {tuple(trial.values.values()) for trial in found.trials} <= {
        ("lexical", "embedding"),
        ("twin", "embedding"),
        ("lexical", "twin"),
    }
