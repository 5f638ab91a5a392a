"""One of the processes that torchrun starts: `python -m shopglot.learn.worker JOB`."""

import sys
from pathlib import Path

from shopglot.core.errors import ShopglotError
from shopglot.learn.launch import train_here

if __name__ == "__main__":
    try:
        train_here(Path(sys.argv[1]))
    except ShopglotError as error:
        raise SystemExit(f"error: {error}") from None
