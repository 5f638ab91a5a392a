"""Recipes: one YAML file per experiment, checked before anything runs."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shopglot.core.complaint import first_complaint
from shopglot.core.each_key_once import NOT_YAML, EachKeyOnce
from shopglot.core.errors import RecipeError
from shopglot.core.pair import TASKS, Task
from shopglot.curate.settings import CurateSettings
from shopglot.demo.settings import SimulateSettings
from shopglot.enrich.settings import EnrichSettings
from shopglot.enrich.translate_settings import CTranslate2Settings, TableSettings, TranslateSettings
from shopglot.fold.settings import FoldSettings
from shopglot.format.settings import FormatSettings
from shopglot.learn.settings import LearnerSettings, check_names
from shopglot.learn.sweep_settings import SweepSettings
from shopglot.merge.settings import MergeSettings
from shopglot.pack.distill_settings import DistillSettings
from shopglot.report.settings import ReportSettings
from shopglot.serve.http.settings import HttpSettings

_SWEPT: Final = ("format", "learn", "merge")
M = TypeVar("M", bound=BaseModel)


class DataSettings(BaseModel):
    """Where the pairs come from: files, or the simulated marketplace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[Path, ...] = Field(default=(), description="Files of labelled pairs, relative to the recipe.")
    dev: tuple[Path, ...] = Field(default=(), description="Labelled files that are only reported on.")
    taxonomy: tuple[Path, ...] = Field(default=(), description="Files of the shop's category paths, if it has them.")
    simulate: SimulateSettings | None = Field(default=None, description="Write and use simulated files instead.")
    corrections: tuple[Path, ...] = Field(
        default=(),
        description="Review files of `shopglot audit` that a person has edited, in the order of the reviews.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.train) == bool(self.simulate):
            raise ValueError("name either `train` files or `simulate` settings")
        return self


class Recipe(BaseModel):
    """An experiment from files to a bundle; every stage has its own part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name the report shows.")
    license: str = Field(
        default="other", description="The licence that the model card names, as the Hugging Face Hub writes it."
    )
    seed: int = Field(default=17, ge=0, lt=2**32, description="Seed of the folds and of everything else that draws.")
    max_bad_rows: float = Field(default=0.05, ge=0, le=1, description="The share of unreadable rows that stops a run.")
    data: DataSettings
    curate: CurateSettings = CurateSettings()
    enrich: EnrichSettings = EnrichSettings()
    fold: FoldSettings = FoldSettings()
    format: FormatSettings = FormatSettings()
    learn: tuple[LearnerSettings, ...] = Field(min_length=1, description="The learners whose scores are blended.")
    merge: MergeSettings = MergeSettings()
    report: ReportSettings = ReportSettings()
    sweep: SweepSettings | None = Field(default=None, description="What `shopglot sweep` tries.")

    @model_validator(mode="after")
    def _names_are_folders_of_their_own(self) -> Self:
        check_names([learner.name for learner in self.learn])
        return self

    @model_validator(mode="after")
    def _something_decides(self) -> Self:
        if self.fold.tune <= 0:
            raise ValueError("fold.tune is 0, but calibration and thresholds are chosen on that part; give it a tenth")
        return self

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that its learners learn."""
        return tuple(task for task in TASKS if any(task in learner.tasks for learner in self.learn))

    def to_yaml(self) -> str:
        """Return the recipe with every default spelled out."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        return text


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe in `path` with each `key=value` of `overrides` put in, such as `learn.0.steps=50`.

    Raises RecipeError that names the key, where it stands and the nearest known one.
    """
    path = Path(path)
    recipe = _valid(_content(path, overrides, "recipe", "name, data and learn"), str(path), Recipe)
    moved: dict[str, Any] = {"data": _from_folder(recipe.data, path.parent)}
    enrich = recipe.enrich
    beside: dict[str, Any] = {"guard": (path.parent / enrich.guard).resolve()} if enrich.guard else {}
    if enrich.translate is not None:
        beside["translate"] = _beside(enrich.translate, path.parent)
    moved["enrich"] = enrich.model_copy(update=beside)
    return recipe.model_copy(update=moved)


def load_translate_settings(path: str | Path) -> TranslateSettings:
    """Return the settings of translation in a YAML file; the table, the brands and the cache are relative to it.

    Raises RecipeError that names the key, where it stands and the nearest known one.
    """
    path = Path(path)
    settings = _valid(_content(path, (), "translation", "translator"), str(path), TranslateSettings)
    return _beside(settings, path.parent)


def load_http_settings(path: str | Path | None) -> HttpSettings:
    """Return the limits of a server in a YAML file, the defaults where there is none; raises RecipeError likewise."""
    content = {} if path is None else _content(Path(path), (), "server settings", "keys such as deadline_seconds")
    return _valid(content, str(path), HttpSettings)


def load_distill_settings(path: str | Path | None, overrides: Sequence[str] = ()) -> DistillSettings:
    """Return the settings of a student in a YAML file, or the defaults, with each `key=value` of `overrides` put in.

    Raises RecipeError that names the key, where it stands and the nearest known one.
    """
    if path is None:
        return _valid(_overridden(DistillSettings().model_dump(mode="json"), overrides), "--set", DistillSettings)
    return _valid(_content(Path(path), overrides, "student", "student"), str(path), DistillSettings)


def checked_sweep(recipe: Recipe) -> SweepSettings:
    """Return the recipe's sweep; raises RecipeError where there is none, or for a key or a value that cannot be tried.

    Each value has to be possible beside the first values of the other keys.
    """
    if recipe.sweep is None:
        raise RecipeError("the recipe has no part `sweep`; name the keys to vary, each with its values, in sweep.space")
    space = recipe.sweep.space
    first = {key: domain.corners[0] for key, domain in space.items()}
    for key, domain in space.items():
        for value in domain.corners:
            trial_recipe(recipe, first | {key: value})
        if key.partition(".")[0] not in _SWEPT:
            raise RecipeError(f"sweep.space: all trials share what {key!r} decides; sweep {', '.join(_SWEPT)} alone")
    return recipe.sweep


def trial_recipe(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """Return the recipe without its sweep and with each value put in at its dotted key, as by `--set`.

    Raises RecipeError for a key or a value that is not possible, and for learners of other tasks.
    """
    content = recipe.model_dump(mode="json", exclude={"sweep"}, exclude_unset=True)
    for key, value in values.items():
        _put(content, key, deepcopy(value))
    tried = _valid(content, "sweep.space", Recipe)
    if tried.tasks != recipe.tasks:
        learned = " or ".join(" and ".join(tasks) for tasks in (tried.tasks, recipe.tasks))
        raise RecipeError(f"sweep.space: trials that learn either {learned} cannot be compared; leave `tasks` alone")
    return tried


def _content(path: Path, overrides: Sequence[str], kind: str, keys: str) -> dict[str, Any]:
    """Return what a YAML file of settings holds, with the overrides put in."""
    if not path.is_file():
        raise RecipeError(f"no {kind} {path}; name a YAML file" + ", such as recipes/demo.yaml" * (kind == "recipe"))
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), EachKeyOnce)
    except NOT_YAML as reason:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(reason).split())}") from reason
    if not isinstance(content, dict):
        raise RecipeError(f"{path} holds no {kind}; it needs the keys {keys}")
    content = _overridden(content, overrides)
    if (key := _with_nul(content)) is not None:
        raise RecipeError(f"{path}: {key!r} has a NUL character, which no path and no name may have; take it out")
    return content


def _overridden(content: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    for override in overrides:
        _put(content, *_parsed(override))
    return content


def _with_nul(content: Any) -> str | None:
    """Return the key of the first text with a NUL character, "" for `content` itself, None where there is none."""
    if isinstance(content, str):
        return "" if "\0" in content else None
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        if (found := _with_nul(value)) is not None or "\0" in str(key):
            return f"{key}.{found}" if found else str(key)
    return None


def _parsed(override: str) -> tuple[str, Any]:
    key, equals, value = override.partition("=")
    if not equals:
        raise RecipeError(f"--set {override!r} has no '='; write --set key=value, such as --set seed=3")
    try:
        return key, yaml.load(value, EachKeyOnce)
    except NOT_YAML as reason:
        raise RecipeError(f"--set {override!r} is not YAML behind the '='; put quotes around it") from reason


def _put(content: dict[str, Any], key: str, value: Any) -> None:
    node: Any = content
    *parents, last = key.split(".")
    try:
        for name in parents:
            node = node[int(name)] if isinstance(node, list) else node.setdefault(name, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (IndexError, ValueError, TypeError, AttributeError) as reason:
        raise RecipeError(f"{key!r} leads to nothing in the recipe; `learn` is a list: learn.0.steps") from reason


def _valid(content: dict[str, Any], where: str, model: type[M]) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as reason:
        raise RecipeError(f"{where}: {first_complaint(reason, content, model)}") from reason


def _beside(settings: TranslateSettings, folder: Path) -> TranslateSettings:
    """Return the settings with the files that they name taken to be relative to `folder`."""
    places = {name: getattr(settings, name) for name in ("brands", "cache")}
    moved: dict[str, Any] = {name: (folder / place).resolve() for name, place in places.items() if place}
    if isinstance(settings.translator, TableSettings):
        files = tuple((folder / file).resolve() for file in settings.translator.files)
        moved["translator"] = settings.translator.model_copy(update={"files": files})
    if isinstance(settings.translator, CTranslate2Settings):
        model = (folder / settings.translator.model).resolve()
        moved["translator"] = settings.translator.model_copy(update={"model": model})
    return settings.model_copy(update=moved)


def _from_folder(data: DataSettings, folder: Path) -> DataSettings:
    return data.model_copy(
        update={
            name: tuple((folder / path).resolve() for path in getattr(data, name))
            for name in ("train", "dev", "taxonomy", "corrections")
        }
    )
