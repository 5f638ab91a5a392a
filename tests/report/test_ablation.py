from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopglot.config import load_recipe
from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.report.ablation import (
    AblationRow,
    Reached,
    TaskAblation,
    ablation_rows,
    ablation_table,
    gap_table,
    markdown,
)
from shopglot.report.kept import read_side
from shopglot.report.measure import Measures
from tests.report.made_up import both_tasks
from tests.report.sides import run

RECIPES = Path(__file__).parents[2] / "recipes" / "ablation"


def row(tmp_path: Path, **recipe: Any) -> AblationRow:
    (found,) = ablation_rows([read_side(run(tmp_path / "run", **recipe))], "dev")
    return found


def test_runs_that_differ_in_nothing_but_their_seeds_are_one_row(tmp_path: Path) -> None:
    learner = {"learner": "embedding"}
    first = run(tmp_path / "1", seed=1, learn=[learner | {"seed": 1}])
    again = run(tmp_path / "2", skill=2.0, seed=2, learn=[learner | {"seed": 2}])
    other = run(tmp_path / "3", name="other", learn=[learner | {"networks": 1}])
    data = run(tmp_path / "4", data={"simulate": {"pairs": 600, "seed": 8}}, learn=[learner])
    rows = ablation_rows([read_side(path) for path in (first, again, other, data)], "dev")
    assert [[Path(name).name for name in each.runs] for each in rows] == [["1", "2"], ["3"], ["4"]]


def test_f1_is_the_mean_and_deviation_over_the_folds_and_seeds_beside_the_shared_evidence(tmp_path: Path) -> None:
    paths = [run(tmp_path / str(skill), skill=skill) for skill in (1.0, 2.0)]
    (found,) = ablation_rows([read_side(path) for path in paths], "dev")
    by_fold, whole = [], []
    for skill in (1.0, 2.0):
        folds = both_tasks("out-of-fold", skill=skill, folds=3)
        qc = folds.where((folds.pairs["task"] == "QC").to_numpy())
        assert qc.fold is not None
        by_fold += [Measures.of(qc, (qc.fold == fold).to_numpy()) for fold in "012"]
        whole.append(Measures.of(qc))
    for reached, expected in ((found.tasks["QC"].out_of_fold, by_fold), (found.tasks["QC"].shared, whole)):
        assert reached is not None
        f1s, areas = [each.f1 for each in expected], [each.roc_auc or 0 for each in expected]
        assert reached.judgements == len(expected)
        assert reached.f1 == pytest.approx(np.mean(f1s))
        assert reached.deviation == pytest.approx(np.std(f1s, ddof=1))
        assert reached.roc_auc == pytest.approx(np.mean(areas))
        assert reached.all_positive_f1 == pytest.approx(np.mean([each.all_positive_f1 for each in expected]))


def test_the_gap_is_the_mean_out_of_fold_minus_that_on_the_shared_evidence(tmp_path: Path) -> None:
    def reached(f1: float, roc_auc: float | None) -> Reached:
        return Reached(judgements=1, f1=f1, deviation=None, all_positive_f1=0.8, roc_auc=roc_auc)

    tasks: dict[Task, TaskAblation] = {
        "QC": TaskAblation(out_of_fold=reached(0.93, 0.91), shared=reached(0.87, 0.905)),
        "QI": TaskAblation(out_of_fold=reached(0.7, None), shared=reached(0.7, 0.9)),
    }
    plain = row(tmp_path)
    both, *others = (plain.model_copy(update={"tasks": found}) for found in (tasks, {}))
    table = gap_table([both, *others], "dev")
    assert table.rows[0].cells == ("80.0", "80.0", "+6.0", "+0.5", "80.0", "80.0", "0.0", "–")
    assert table.rows[1].cells == ("–",) * 8
    out_of_fold = TaskAblation(out_of_fold=reached(0.93, 0.91), shared=None)
    alone = gap_table([both.model_copy(update={"tasks": {"QC": out_of_fold}})], "out-of-fold")
    assert alone.rows[0].cells == ("80.0", "–", "–", "–")


def test_the_columns_are_what_the_recipe_has_switched_on(tmp_path: Path) -> None:
    tuned = {"learner": "llm", "model": "org/model", "lora": {"targets": "attention"}}
    stages = [{"tasks": ["QI"]}, {"tasks": ["QC"]}]
    made = {
        "make": {"path_suffix": 0.2, "translated": {"languages": ["de"], "share": 0.1}},
        "negatives": {"per_positive": 0.4},
        "translation_dropout": 0.3,
    }
    embedding = {"learner": "embedding", "model": "embedded:e5", "queries": ["original"], "contrast": {}}
    found = row(tmp_path, learn=[tuned | {"stages": stages}, embedding], enrich=made, fold={"qc": "query"})
    assert (found.architecture, found.translation) == ("org/model + e5", "both + original, dropout 0.3")
    assert (found.category_aware_split, found.made_pairs) == (False, "path_suffix 0.2, translated 0.1, negatives 0.4")
    assert (found.stages, found.lora_targets) == ("QI → QC + contrast → head", "attention")


def test_what_a_recipe_lacks_is_a_dash(tmp_path: Path) -> None:
    found = row(tmp_path, format={})
    shown = ("lexical", "original", True, "–", "–", "–")
    assert (
        found.architecture,
        found.translation,
        found.category_aware_split,
        found.made_pairs,
        found.stages,
        found.lora_targets,
    ) == shown


def test_the_table_in_markdown_has_every_cell_and_no_bar_within_one(tmp_path: Path) -> None:
    table = ablation_table([row(tmp_path, name="a|b")], "dev")
    lines = markdown(table).splitlines()
    assert lines[2].startswith("| recipe | architecture | translation | category-aware split | made pairs | stages |")
    assert lines[4].startswith("| a&#124;b | lexical | both | yes | – | – | – |")
    assert len({line.count("|") for line in lines[2:]}) == 1
    assert "QC F1 % out of fold" in lines[2]
    assert "QI F1 % on dev" in lines[2]


def test_a_recipe_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds a recipe of another version"):
        row(tmp_path, fold={"old": 1})


def test_the_recipes_of_the_ablation_differ_from_the_base_in_one_thing_each() -> None:
    base = load_recipe(RECIPES / "base.yaml").model_dump()
    differ = {
        path.stem: {key for key, value in load_recipe(path).model_dump().items() if value != base[key]} - {"name"}
        for path in RECIPES.glob("*.yaml")
    }
    assert differ == {
        "base": set(),
        "path-augmentation": {"enrich"},
        "query-split": {"fold"},
        "original-only": {"format", "learn"},
    }
