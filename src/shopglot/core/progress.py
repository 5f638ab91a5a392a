"""A bar on standard error for work that takes long; short work shows none."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")


def tracked(items: Sequence[T], what: str, *, size: int, long: int = 5_000) -> Iterable[T]:
    """Yield the items under a bar named `what`, where the work is of a `size` that takes `long`."""
    return track(items, what, console=Console(stderr=True), transient=True, disable=size < long)
