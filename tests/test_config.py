from pathlib import Path
from typing import Any

import pytest
import yaml

from shopglot.config import Recipe, checked_sweep, load_recipe, trial_recipe
from shopglot.core.errors import RecipeError

ROOT = Path(__file__).parents[1]
PLAIN: dict[str, Any] = {"name": "plain", "data": {"simulate": {"pairs": 200}}, "learn": [{"learner": "lexical"}]}


def written(folder: Path, content: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_a_recipe_says_only_what_differs_from_the_defaults(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, PLAIN))
    assert (recipe.seed, recipe.merge.ship, recipe.learn[0].name) == (17, "folds", "lexical")


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_recipes_of_the_project_can_be_read(path: Path) -> None:
    assert load_recipe(path).learn


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({**PLAIN, "lern": []}, ["unknown key 'lern'; did you mean 'learn'?"]),
        ({"name": "x", "data": PLAIN["data"], "lern": PLAIN["learn"]}, ["unknown key 'lern'; did you mean 'learn'?"]),
        ({**PLAIN, "fold": {"fold": 3}}, ["'fold.fold'", "did you mean 'folds'?"]),
        ({**PLAIN, "learn": [{"learner": "encoder", "step": 9}]}, ["'learn.0.step'; did you mean 'steps'?"]),
        ({**PLAIN, "learn": [{"learner": "lexical", "steps": 9}]}, ["'learn.0.steps'; there are learner, name, tasks"]),
        (
            {**PLAIN, "learn": [{"learner": "embedding", "contrast": {"step": 9}}]},
            ["'learn.0.contrast.step'; did you mean 'steps'?"],
        ),
        ({**PLAIN, "zzzz": 1}, ["unknown key 'zzzz'; there are curate, data, enrich, fold, "]),
        ({**PLAIN, "seed": "many"}, ["seed: ", "'many'"]),
        ({**PLAIN, "seed": -1}, ["seed: ", "not -1"]),
        ({**PLAIN, "seed": 10**23}, ["seed: ", "less than 4294967296"]),
        ({**PLAIN, "curate": {"language_odds": float("inf")}}, ["curate.language_odds: ", "finite"]),
        ({**PLAIN, "data": {"train": "a.csv"}}, ["data.train: give a list, such as [a, b], not 'a.csv'"]),
        ({**PLAIN, "fold": 3}, ["fold: give keys with values, not 3"]),
        ({**PLAIN, "learn": [{"name": "x"}]}, ["learn.0: the key 'learner' is missing"]),
        ({**PLAIN, "merge": {"threshold": {"recall": 0.9}}}, ["merge.threshold: the key 'goal' is missing"]),
        ({**PLAIN, "merge": {"threshold": {"goal": "precision"}}}, ["'merge.threshold.recall' is missing"]),
        ({**PLAIN, "learn": [{"learner": "oracle"}]}, ["learn.0", "'oracle'", "'lexical'"]),
        ({**PLAIN, "learn": []}, ["learn: ", "at least 1"]),
        ({"name": "x", "data": PLAIN["data"]}, ["the key 'learn' is missing"]),
        ({**PLAIN, "data": {}}, ["data: name either `train` files or `simulate` settings"]),
        ({**PLAIN, "fold": {"tune": 0.3, "test": 0.3}}, ["fold: tune and test hold 60%"]),
        ({**PLAIN, "fold": {"tune": 0}}, ["fold.tune is 0, but calibration"]),
        ({**PLAIN, "learn": [{"learner": "lexical"}] * 2}, ["two learners share a name among lexical, lexical"]),
        ("learn: [a\n", ["recipe.yaml is not YAML"]),
        ("[" * 5000, ["recipe.yaml is not YAML"]),
        (
            {**PLAIN, "enrich": {"negatives": {"shares": {"sib": 1}}}},
            ["enrich.negatives.shares.sib: Input should be 'sibling'"],
        ),
        ("seed: " + "1" * 5000, ["recipe.yaml is not YAML"]),
        ("name: a\nfold:\n  tune: 0.1\n  tune: 0.2\n", ["recipe.yaml is not YAML: key 'tune' again", "line 4"]),
        ("- a\n- b\n", ["recipe.yaml holds no recipe"]),
        ("", ["recipe.yaml holds no recipe"]),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_in_one_sentence(
    tmp_path: Path, content: Any, words: list[str]
) -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe(written(tmp_path, content))
    assert all(word in str(refused.value) for word in words)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_recipe_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(RecipeError, match="is not YAML"):
        load_recipe(tmp_path / "recipe.yaml")


def test_an_absent_recipe_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no recipe .*none\.yaml; name a YAML file"):
        load_recipe(tmp_path / "none.yaml")


def test_overrides_are_read_as_yaml_and_reach_into_lists_and_absent_parts(tmp_path: Path) -> None:
    content = {**PLAIN, "learn": [{"learner": "lexical"}, {"learner": "encoder"}]}
    overrides = ("seed=3", "learn.1.steps=50", "learn.-1.bf16=false", "fold.folds=4", "report.slices=[seen, brand]")
    recipe = load_recipe(written(tmp_path, content), overrides)
    assert (recipe.seed, recipe.fold.folds, recipe.report.slices) == (3, 4, ("seen", "brand"))
    assert recipe.learn[1].model_dump()["steps"] == 50
    assert recipe.learn[1].model_dump()["bf16"] is False


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seed", "has no '='"),
        ("learn.steps=5", "leads to nothing in the recipe"),
        ("learn.7.steps=5", "leads to nothing in the recipe"),
        ("name.first=x", "leads to nothing in the recipe"),
        ("seed=[1", "is not YAML"),
        ("sed=3", "did you mean 'seed'?"),
    ],
)
def test_an_override_that_leads_nowhere_is_refused(tmp_path: Path, override: str, words: str) -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe(written(tmp_path, PLAIN), (override,))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('name: a\ndata: {train: [x.csv, "a\\0b.csv"]}\nlearn: [{learner: lexical}]', "data.train.1"),
        ('name: "a\\x00"\ndata: {train: [x.csv]}\nlearn: [{learner: lexical}]', "name"),
        ('name: a\ndata: {"tr\\0": [x.csv]}\nlearn: [{learner: lexical}]', "data"),
    ],
)
def test_a_nul_character_is_refused_where_it_stands(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"'{key}[^']*' has a NUL character"):
        load_recipe(path)


def test_files_are_named_from_where_the_recipe_stands(tmp_path: Path) -> None:
    tmp_path = tmp_path.resolve()
    data = {"train": ["a.jsonl", "sub/b.csv", "/elsewhere/c.csv"], "dev": ["../d.txt"], "taxonomy": ["t.tsv"]}
    found = load_recipe(written(tmp_path, {**PLAIN, "data": data})).data
    assert found.train == (tmp_path / "a.jsonl", tmp_path / "sub" / "b.csv", Path("/elsewhere/c.csv"))
    assert (found.dev, found.taxonomy) == ((tmp_path.parent / "d.txt",), (tmp_path / "t.tsv",))


def test_a_recipe_written_out_in_full_is_the_same_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(ROOT / "recipes" / "demo.yaml", ("name=über",))
    again = Recipe.model_validate(yaml.safe_load(recipe.to_yaml()))
    assert again == recipe
    assert again.to_yaml() == recipe.to_yaml()
    assert "über" in recipe.to_yaml()


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "-x", "a\n"])
def test_a_learner_cannot_be_named_out_of_the_folder_of_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="is no name of a learner; use letters and digits"):
        load_recipe(written(tmp_path, {**PLAIN, "learn": [{"learner": "lexical", "name": name}]}))


def test_a_recipe_is_named_by_text_too(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN)
    assert load_recipe(str(path), ["seed=3"]) == load_recipe(path, ("seed=3",))


SWEPT: dict[str, Any] = {
    **PLAIN,
    "learn": [{"learner": "lexical"}, {"learner": "embedding", "model": "local/e5", "networks": 2}],
}


def swept(space: dict[str, Any], **parts: Any) -> Recipe:
    return Recipe.model_validate({**SWEPT, **parts, "sweep": {"space": space}})


def test_the_recipe_of_a_trial_is_what_overrides_would_make_of_it(tmp_path: Path) -> None:
    overrides = ("learn.1.contrast.steps=9", "learn.1.hidden=[8]", "merge.blend=mean")
    values = {"learn.1.contrast.steps": 9, "learn.1.hidden": [8], "merge.blend": "mean"}
    recipe = swept({"merge.blend": {"choices": ["mean"]}})
    assert trial_recipe(recipe, values) == load_recipe(written(tmp_path, SWEPT), overrides)
    assert recipe == swept({"merge.blend": {"choices": ["mean"]}})


def test_a_value_put_inside_another_one_leaves_the_space_as_it_is() -> None:
    space = {"learn.1.contrast": {"choices": [{"steps": 3}]}, "learn.1.contrast.steps": {"low": 1, "high": 2}}
    recipe = swept(space)
    assert checked_sweep(recipe) == swept(space).sweep
    contrast = trial_recipe(recipe, {"learn.1.contrast": {"steps": 3}, "learn.1.contrast.steps": 2})
    assert contrast.learn[1].model_dump()["contrast"]["steps"] == 2


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"lern.1.networks": {"low": 1, "high": 3}}, "sweep.space: unknown key 'lern'; did you mean 'learn'?"),
        ({"learn.1.netwroks": {"low": 1, "high": 3}}, "netwroks'; did you mean 'networks'?"),
        ({"learn.0.networks": {"low": 1, "high": 3}}, "unknown key 'learn.0.networks'"),
        ({"learn.networks": {"low": 1, "high": 3}}, "'learn.networks' leads to nothing in the recipe"),
        ({"learn.1.networks": {"low": 0, "high": 3}}, "sweep.space: learn.1.networks: "),
        ({"learn.1.networks": {"low": 1.0, "high": 2.5}}, "not 2.5"),
        ({"merge.blend": {"choices": ["mean", "median"]}}, "sweep.space: merge.blend: "),
        ({"learn.0.name": {"choices": ["lexical", "embedding"]}}, "two learners share a name"),
        ({"learn.0": {"choices": [{"learner": "lexical"}, {"learner": "oracle"}]}}, "'oracle'"),
        ({"fold.folds": {"low": 2, "high": 3}}, "all trials share what 'fold.folds' decides"),
        ({"seed": {"low": 2, "high": 3}}, "all trials share what 'seed' decides; sweep format, learn, merge alone"),
        ({"learn": {"choices": [[{"learner": "lexical", "tasks": ["QI"]}]]}}, "learn either QI or QC and QI"),
    ],
)
def test_a_space_with_a_key_or_a_value_that_cannot_be_tried_is_refused(space: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError) as refused:
        checked_sweep(swept(space))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("first", [0, 1])
def test_each_value_has_to_be_possible_beside_the_first_ones_of_the_others(first: int) -> None:
    models = ["embedded:universal-sentence-encoder", "local/e5"]
    space = {
        "learn.1.model": {"choices": [models[first], models[1 - first]]},
        "learn.1.contrast": {"choices": [None, {"steps": 3}]},
    }
    if first == 1:
        assert checked_sweep(swept(space)).space.keys() == space.keys()
    else:
        with pytest.raises(RecipeError, match="stays frozen; leave `contrast` out"):
            checked_sweep(swept(space))


def test_a_recipe_without_a_space_has_nothing_to_sweep() -> None:
    with pytest.raises(RecipeError, match="has no part `sweep`"):
        checked_sweep(Recipe.model_validate(PLAIN))


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ({"low": 3, "high": 2}, "sweep.space.learn.1.networks: low is 3 and high is 2; let low be below high"),
        ({"low": 3}, "the key 'sweep.space.learn.1.networks.high' is missing"),
        ({"lowest": 3, "high": 4}, "unknown key 'sweep.space.learn.1.networks.lowest'; did you mean 'low'?"),
    ],
)
def test_a_range_that_is_none_is_refused_where_it_stands(tmp_path: Path, domain: Any, words: str) -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe(written(tmp_path, {**SWEPT, "sweep": {"space": {"learn.1.networks": domain}}}))
    assert words in str(refused.value)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_sweeps_of_the_project_can_be_tried(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.sweep is None or checked_sweep(recipe).trials
