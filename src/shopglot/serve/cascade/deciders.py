"""What decides pairs, by its path: a bundle's folder or a cascade's routing file."""

from pathlib import Path

from shopglot.core.errors import BundleError
from shopglot.merge.decide import Decider
from shopglot.pack.bundle import load
from shopglot.serve.cascade.routing import load_cascade


def load_decider(path: str | Path) -> Decider:
    """Return the bundle in a folder, or the cascade of a routing file.

    Raises BundleError where there is neither, and where a bundle has changed since it was written or routed to.
    """
    path = Path(path)
    if path.is_file():
        return load_cascade(path)
    if not path.exists():
        raise BundleError(f"{path} does not exist; name a bundle's folder or a routing file of `shopglot budget`")
    return load(path)
