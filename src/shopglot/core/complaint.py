"""What a person has to mend in settings that were refused, in the words of the file they stand in."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError


def first_complaint(error: ValidationError, content: dict[str, Any], model: type[BaseModel]) -> str:
    """Return what to mend first in `content`, which is no `model`: a misspelt key explains why another is missing."""
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    *parents, last = first["loc"] or ("the recipe",)
    added = [last] if first["type"] == "missing" or not first["loc"] else []
    where = ".".join(map(str, [*_written(first["loc"], content), *added]))
    if first["type"] == "extra_forbidden":
        known = sorted(_known_keys(parents, model))
        near = get_close_matches(str(last), known, n=1)
        return f"unknown key {where!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}")
    if first["type"] == "missing":
        return f"the key {where!r} is missing"
    if first["type"] == "union_tag_not_found":
        return f"{where}: the key {first['ctx']['discriminator']} is missing"
    said = _IN_YAML.get(first["type"], first["msg"].removeprefix("Value error, "))
    given = first["input"]
    return f"{where}: {said}" + ("" if isinstance(given, dict | list) else f", not {given!r:.200}")


_IN_YAML: Final = {
    "tuple_type": "give a list, such as [a, b]",
    "model_type": "give keys with values",
    "model_attributes_type": "give keys with values",
}


_TAGS: Final = ("learner", "kind", "goal")
"""The keys that say which of several settings are meant."""


def _written(parents: Sequence[str | int], content: Any) -> list[str | int]:
    """Return the keys to a place as the recipe has them, without the kinds of learner that the checker puts between."""
    written: list[str | int] = []
    for key in parents:
        if isinstance(content, list) or (isinstance(content, dict) and key in content):
            content = content[key]  # type: ignore[index]  # a place in a list is a number
            written.append(key)
    return written


def _known_keys(parents: Sequence[str | int], model: type[BaseModel]) -> set[str]:
    """Return the keys of the settings at a place; a kind of learner chooses among those of all learners."""
    found: list[type[BaseModel]] = [model]
    for key in parents:
        if isinstance(key, str):
            inner = [within for each in found if key in each.model_fields for within in _settings_in(each, key)]
            found = inner or [each for each in found if _is_kind(each, key)]
    return {key for each in found for key in each.model_fields}


def _is_kind(model: type[BaseModel], key: str) -> bool:
    tags = [field.default for name, field in model.model_fields.items() if name in _TAGS]
    return not tags or key in tags


def _settings_in(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    def within(kind: Any) -> list[type[BaseModel]]:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return [kind]
        return [settings for inner in get_args(kind) for settings in within(inner)]

    return within(model.model_fields[key].annotation)
