"""The templates of the pages, which share one style and need nothing beside themselves."""

from importlib import resources
from typing import Any

from shopglot.core.errors import RecipeError


def render(template: str, view: dict[str, Any]) -> str:
    """Return the page of a template in this folder as HTML, filled with `view`."""
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as missing:
        raise RecipeError("a page needs jinja2: pip install 'shopglot[train]'") from missing
    environment = Environment(
        loader=FunctionLoader(lambda name: resources.files("shopglot.report").joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(view)
