"""How many threads the libraries take: with as many as there are cores each, they wait for one another.

This module imports nothing heavy, for polars reads its number when it is imported.
"""

import gc
import os
import sys


def one_for_tables() -> None:
    """Let polars work in one thread, where nothing else is set: the tables of requests are small."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


def limit_products(threads: int) -> None:
    """Let numpy, and torch where it was loaded, compute products of matrices with so many threads each."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def at_rest() -> None:
    """Keep the garbage collector off what was loaded, for going through it takes longer than a request may."""
    gc.collect()
    gc.freeze()
