"""Writes docs/reference/recipe.md from the settings themselves; with --check it only says whether the page is right."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shopglot.config import Recipe

PAGE: Final = Path(__file__).parent / "reference" / "recipe.md"
INTRODUCTION: Final = """\
# The recipe

A recipe is one YAML file. It says where the pairs come from and what each stage does with them. Every key that is left
out has the default below; a run keeps the recipe with all defaults spelled out as `recipe.yaml`. An unknown key is an
error that names the nearest known one. Paths are relative to the recipe's folder.

On the command line, `--set key=value` puts another value in. Keys are joined by dots and the items of a list are
numbered: `--set fold.folds=5 --set learn.1.networks=1`.

This page is written by `docs/generate_recipe_reference.py`; do not edit it.
"""
_BOUNDS: Final = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {}",
}
_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
_ANYTHING: Final = "#/$defs/JsonValue"

Schema = Mapping[str, Any]


def main(arguments: list[str]) -> None:
    """Write the page, or with --check end with exit code 1 when it differs from the settings."""
    if "--check" not in arguments:
        PAGE.write_text(reference(), encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != reference():
        raise SystemExit(f"{PAGE} is not up to date: run `python docs/generate_recipe_reference.py`")


def reference() -> str:
    """Return the page: one table for each part of a recipe, in the order in which a recipe names them."""
    schema = Recipe.model_json_schema()
    parts = [_part(title, part) for title, part in _parts("", schema, schema["$defs"])]
    return "\n".join([INTRODUCTION, *parts])


def _parts(
    where: str, part: Schema, models: Mapping[str, Schema], *, alone: bool = True
) -> Iterator[tuple[str, Schema]]:
    """Yield the title and schema of a part and, after it, those of the parts within it."""
    tags = [f"{name}: {field['const']}" for name, field in part["properties"].items() if "const" in field]
    told_by = tags or ([] if alone else part["required"])
    kind = " with " + " and ".join(f"`{key}`" for key in told_by) if told_by else ""
    yield (f"`{where}`" if where else "The whole") + kind, part
    for name, field in part["properties"].items():
        path = f"{where}.{name}" if where else name
        within = _models_of(field)
        for model in within:
            inner = f"{path}.<key>" if "additionalProperties" in field else path
            yield from _parts(inner, models[model], models, alone=len(within) == 1)


def _models_of(field: Schema) -> list[str]:
    """Return the names of the settings that a field holds, alone, as an alternative or as items."""
    if "$ref" in field:
        return [] if field["$ref"] == _ANYTHING else [field["$ref"].rpartition("/")[2]]
    below = [field[key] for key in ("items", "additionalProperties") if isinstance(field.get(key), dict)]
    within = [*field.get("anyOf", ()), *field.get("oneOf", ()), *below]
    return [model for inner in within for model in _models_of(inner)]


def _part(title: str, part: Schema) -> str:
    required = part.get("required", ())
    rows = [
        f"| `{name}` | {_kind(field)} | {_default(name, field, required)} | {_sentence(name, field)} |"
        for name, field in part["properties"].items()
    ]
    head = ["| setting | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", part["description"], "", *head, *rows, ""])


def _kind(field: Schema) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(inner) for inner in field["anyOf"])
    if {"$ref", "oneOf", "additionalProperties"} & field.keys():
        return _nested(field)
    if "items" in field:
        return ", ".join([f"list of {_kind(field['items'])}", *_bounds(field)])
    if "prefixItems" in field:
        return f"list of {len(field['prefixItems'])} {_kind(field['prefixItems'][0])}s"
    if "additionalProperties" in field:
        inner = field["additionalProperties"]
        return f"map to {_kind(inner)}" if isinstance(inner, dict) else "map"
    name = "path" if field.get("format") == "path" else _TYPES[field["type"]]
    return " ".join([name, *_bounds(field)])


def _nested(field: Schema) -> str:
    if "additionalProperties" in field:
        values = field["additionalProperties"]
        return "mapping" if values is True else f"mapping to {_kind(values)}"
    return "any value" if field.get("$ref") == _ANYTHING else "settings"


def _bounds(field: Schema) -> list[str]:
    return [text.format(field[bound]) for bound, text in _BOUNDS.items() if bound in field]


def _default(name: str, field: Schema, required: list[str]) -> str:
    if name in required:
        return "must be given"
    if _models_of(field) and field.get("default") is not None:
        return "the defaults below"
    return f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"


def _sentence(name: str, field: Schema) -> str:
    if "description" in field:
        return str(field["description"])
    return "Which of them it is." if "const" in field else "See below."


if __name__ == "__main__":
    main(sys.argv[1:])
