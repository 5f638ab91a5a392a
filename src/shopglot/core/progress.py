"""A bar on standard error for work that takes long; short work shows none."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn, track

T = TypeVar("T")
_LONG: Final = 5_000


def tracked(items: Sequence[T], what: str, *, size: int, long: int = _LONG) -> Iterable[T]:
    """Yield the items under a bar named `what`, where the work is of a `size` that takes `long`."""
    if size < long:  # even a bar that is not shown would start a thread
        return items
    return track(items, what, console=Console(stderr=True), transient=True)


@contextmanager
def counting(what: str, *, total: int, done: int = 0, long: int = _LONG) -> Iterator[Callable[[int], None]]:
    """Give a function that moves a bar named `what` on by so many of `total` rows; `done` were so before.

    The bar shows the rows per second since it began.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
    )
    start, moved = perf_counter(), 0
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=total < long) as bar:
        task = bar.add_task(what, total=total, completed=done, pace="")

        def advance(rows: int) -> None:
            nonlocal moved
            moved += rows
            bar.update(task, advance=rows, pace=f"{moved / (perf_counter() - start):,.0f} rows/s")

        yield advance
