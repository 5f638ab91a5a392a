"""How much was answered lately, in memory."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages.counts import Counts

SECONDS: Final = 5.0
"""Between two looks at the counts."""
KEPT: Final = 120
"""Looks that are kept: ten minutes."""


@dataclass(frozen=True, slots=True)
class Look:
    """How many answers machines got, and how many pairs were scored, by a time."""

    at: float
    answers: float
    pairs: float


class History:
    """Looks at the counts again and again, so that a page can show their latest course."""

    def __init__(self, metrics: Metrics) -> None:
        """Take the counts that are looked at."""
        self._metrics = metrics
        self._looks: deque[Look] = deque(maxlen=KEPT + 1)
        self.began = time.monotonic()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look until the block ends."""
        self.began = time.monotonic()
        self.look(self.began)
        looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            looking.cancel()

    def look(self, now: float) -> None:
        """Take one look."""
        counts = Counts.of(self._metrics)
        self._looks.append(Look(now, counts.asked, counts.pairs))

    @property
    def per_second(self) -> list[Look]:
        """What there was per second between each look and the next, the oldest first."""
        return [
            Look(later.at, (later.answers - look.answers) / passed, (later.pairs - look.pairs) / passed)
            for look, later in pairwise(self._looks)
            if (passed := later.at - look.at) > 0
        ]

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            self.look(time.monotonic())
