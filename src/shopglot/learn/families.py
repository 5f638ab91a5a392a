"""The real configurations of the model families, so that a model can be counted and shrunk where no hub is reached."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from shopglot.core.errors import RecipeError
from shopglot.learn.pretrained import resolve


def known() -> tuple[str, ...]:
    """Return the hub names whose configuration needs neither the model nor the hub."""
    return tuple(_table())


def configuration(model: str) -> Any:
    """Return the transformers configuration of an embedded, local or hub model, of a multimodal one its text part.

    That of a `known` model is read from a table; Gemma's hub pages, for one, do not open without an account.
    Raises RecipeError where it cannot be read.

    >>> configuration("google/gemma-3-12b-pt").hidden_size
    3840
    """
    try:
        import transformers
    except ImportError as missing:
        raise RecipeError(f"to know {model} takes transformers: pip install 'shopglot[train]'") from missing
    if model in _table() and not Path(model).is_dir():
        fields = dict(_table()[model])
        return getattr(transformers, fields.pop("class"))(**fields)
    try:
        return transformers.AutoConfig.from_pretrained(resolve(model), trust_remote_code=False).get_text_config()
    except (OSError, ValueError) as reason:
        first = str(reason).strip().splitlines()[0]
        raise RecipeError(f"no configuration of {model!r}: {first}; name its folder, or reach the hub") from reason


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(files(__package__).joinpath("families.json").read_text("utf-8"))
    return table
