"""Pretrained models and tokenizers are loaded without pickle and remote code, or refused in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from shopglot.core.errors import BundleError, RecipeError


def load_pretrained(auto: Any, model: str, **settings: Any) -> Any:
    """Return `auto.from_pretrained(model)` from safetensors only, without remote code; one sentence when it fails."""
    with named_where_it_fails(model):
        return auto.from_pretrained(model, trust_remote_code=False, **settings)


@contextmanager
def named_where_it_fails(model: str) -> Iterator[None]:
    """Turn what the libraries say of a model that cannot be loaded into one sentence."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError, ValueError) as reason:
        first = str(reason).strip().splitlines()[0].partition(". ")[0]
        if "ignore_mismatched_sizes" in first:
            first = "its weights have other shapes than its configuration says"
        sentence = f"the model {model!r} cannot be loaded without pickle and remote code: {first}"
        if Path(model).is_dir():
            raise BundleError(sentence) from reason
        remedy = "name an embedded model, a folder, or a hub model that can be reached"
        raise RecipeError(f"{sentence}; {remedy}") from reason
