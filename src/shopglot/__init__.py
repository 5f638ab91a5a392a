"""Search relevance for shops that sell in many languages.

A bundle that `shopglot run` made answers for pairs of a query and a category path (QC) or a product title (QI):

    import shopglot

    model = shopglot.load("runs/demo/bundle")
    pairs = [shopglot.Pair(task="QC", query="écouteurs", target="consumer electronics,audio,headphones")]
    model.score(pairs).probability

The names below are the public ones. Each is imported when it is first used, so that `import shopglot` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from shopglot.config import load_recipe
    from shopglot.core.errors import ShopglotError
    from shopglot.core.pair import Pair, Task
    from shopglot.core.pairs import Pairs
    from shopglot.demo.simulate import simulate
    from shopglot.jobs import evaluate_file, score_files
    from shopglot.pack.bundle import load
    from shopglot.pipeline import run

__version__ = "0.1.0"

__all__ = [
    "Pair",
    "Pairs",
    "ShopglotError",
    "Task",
    "__version__",
    "evaluate_file",
    "load",
    "load_recipe",
    "run",
    "score_files",
    "simulate",
]

_HOMES: Final = {
    "Pair": "core.pair",
    "Pairs": "core.pairs",
    "ShopglotError": "core.errors",
    "Task": "core.pair",
    "evaluate_file": "jobs",
    "load": "pack.bundle",
    "load_recipe": "config",
    "run": "pipeline",
    "score_files": "jobs",
    "simulate": "demo.simulate",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"shopglot has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"shopglot.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
