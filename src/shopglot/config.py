"""Recipes: one YAML file per experiment, checked before anything runs."""

import re
from collections.abc import Hashable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shopglot.core.errors import RecipeError
from shopglot.curate.settings import CurateSettings
from shopglot.demo.settings import SimulateSettings
from shopglot.fold.settings import FoldSettings
from shopglot.format.settings import FormatSettings
from shopglot.learn.settings import LearnerSettings
from shopglot.merge.settings import MergeSettings
from shopglot.report.settings import ReportSettings


class DataSettings(BaseModel):
    """Where the pairs come from: files, or the simulated marketplace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[Path, ...] = Field(default=(), description="Files of labelled pairs, relative to the recipe.")
    dev: tuple[Path, ...] = Field(default=(), description="Labelled files that are only reported on.")
    taxonomy: tuple[Path, ...] = Field(default=(), description="Files of the shop's category paths, if it has them.")
    simulate: SimulateSettings | None = Field(default=None, description="Write and use simulated files instead.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.train) == bool(self.simulate):
            raise ValueError("name either `train` files or `simulate` settings")
        return self


class Recipe(BaseModel):
    """An experiment from files to a bundle; every stage has its own part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name the report shows.")
    seed: int = Field(default=17, ge=0, lt=2**32, description="Seed of the folds and of everything else that draws.")
    max_bad_rows: float = Field(default=0.05, ge=0, le=1, description="The share of unreadable rows that stops a run.")
    data: DataSettings
    curate: CurateSettings = CurateSettings()
    fold: FoldSettings = FoldSettings()
    format: FormatSettings = FormatSettings()
    learn: tuple[LearnerSettings, ...] = Field(min_length=1, description="The learners whose scores are blended.")
    merge: MergeSettings = MergeSettings()
    report: ReportSettings = ReportSettings()

    @model_validator(mode="after")
    def _names_are_folders_of_their_own(self) -> Self:
        names = [learner.name for learner in self.learn]
        for name in names:
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise ValueError(f"{name!r} is no name of a learner; use letters and digits, and . _ - between them")
        if len(set(names)) < len(names):
            raise ValueError(f"two learners share a name among {', '.join(names)}; give one of them a `name`")
        return self

    @model_validator(mode="after")
    def _something_decides(self) -> Self:
        if self.fold.tune <= 0:
            raise ValueError("fold.tune is 0, but calibration and thresholds are chosen on that part; give it a tenth")
        return self

    def to_yaml(self) -> str:
        """Return the recipe with every default spelled out."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        return text


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe in `path` with each `key=value` of `overrides` put in, such as `learn.0.steps=50`.

    Raises RecipeError that names the key, where it stands and the nearest known one.
    """
    path = Path(path)
    if not path.is_file():
        raise RecipeError(f"no recipe {path}; name a YAML file, such as recipes/demo.yaml")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _EachKeyOnce)
    except _NOT_YAML as reason:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(reason).split())}") from reason
    if not isinstance(content, dict):
        raise RecipeError(f"{path} holds no recipe; it needs the keys name, data and learn")
    for override in overrides:
        _put(content, override)
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as reason:
        raise RecipeError(f"{path}: {_first_complaint(reason, content)}") from reason
    return recipe.model_copy(update={"data": _from_folder(recipe.data, path.parent)})


class _EachKeyOnce(yaml.SafeLoader):
    """YAML says that keys are unique; the library would take the last of two and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key for key, _ in node.value]
        for number, key in enumerate(keys):
            if key.value in [earlier.value for earlier in keys[:number]]:
                raise yaml.constructor.ConstructorError(problem=f"key {key.value!r} again", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


_NOT_YAML: Final = (yaml.YAMLError, ValueError, RecursionError)
"""What reading YAML raises: for its form, for numbers, dates and bytes that are none, and for what nests too deeply."""


def _put(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals:
        raise RecipeError(f"--set {override!r} has no '='; write --set key=value, such as --set seed=3")
    try:
        chosen = yaml.load(value, _EachKeyOnce)
    except _NOT_YAML as reason:
        raise RecipeError(f"--set {override!r} is not YAML behind the '='; put quotes around it") from reason
    node: Any = content
    *parents, last = key.split(".")
    try:
        for name in parents:
            node = node[int(name)] if isinstance(node, list) else node.setdefault(name, {})
        node[int(last) if isinstance(node, list) else last] = chosen
    except (IndexError, ValueError, TypeError, AttributeError) as reason:
        raise RecipeError(f"--set {key!r} leads to nothing in the recipe; `learn` is a list: learn.0.steps") from reason


def _first_complaint(error: ValidationError, content: dict[str, Any]) -> str:
    """Return what to mend first: a misspelt key explains why another one is missing."""
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    *parents, last = first["loc"] or ("the recipe",)
    where = ".".join(map(str, [*_written(parents, content), last]))
    if first["type"] == "extra_forbidden":
        known = sorted(_known_keys(parents))
        near = get_close_matches(str(last), known, n=1)
        return f"unknown key {where!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}")
    if first["type"] == "missing":
        return f"the key {where!r} is missing"
    said = _IN_YAML.get(first["type"], first["msg"].removeprefix("Value error, "))
    given = first["input"]
    return f"{where}: {said}" + ("" if isinstance(given, dict | list) else f", not {given!r:.200}")


_IN_YAML: Final = {
    "tuple_type": "give a list, such as [a, b]",
    "model_type": "give keys with values",
    "model_attributes_type": "give keys with values",
    "union_tag_not_found": "the key `learner` is missing",
}


def _written(parents: Sequence[str | int], content: Any) -> list[str | int]:
    """Return the keys to a place as the recipe has them, without the kinds of learner that the checker puts between."""
    written: list[str | int] = []
    for key in parents:
        if not isinstance(content, dict) or key in content:
            content = content[key]
            written.append(key)
    return written


def _known_keys(parents: Sequence[str | int]) -> set[str]:
    """Return the keys of the settings at a place; a kind of learner chooses among those of all learners."""
    found: list[type[BaseModel]] = [Recipe]
    for key in parents:
        if isinstance(key, str):
            inner = [model for each in found if key in each.model_fields for model in _settings_in(each, key)]
            found = inner or [each for each in found if each.model_fields["learner"].default == key]
    return {key for each in found for key in each.model_fields}


def _settings_in(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    def within(kind: Any) -> list[type[BaseModel]]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return [kind]
        return [settings for inner in get_args(kind) for settings in within(inner)]

    return within(model.model_fields[key].annotation)


def _from_folder(data: DataSettings, folder: Path) -> DataSettings:
    return data.model_copy(
        update={
            name: tuple((folder / path).resolve() for path in getattr(data, name))
            for name in ("train", "dev", "taxonomy")
        }
    )
