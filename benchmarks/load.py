"""Clients that ask a server over loopback for a bounded time, and what became of what they asked."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import psutil


@dataclass
class Load:
    """What was answered: seconds by status, and the memory of the server's processes, in MB by second."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    memory: list[tuple[float, float]] = field(default_factory=list)
    took: float = 0.0

    @property
    def statuses(self) -> dict[str, int]:
        """How many answers had which status; 0 where the connection failed."""
        return {str(status): len(each) for status, each in sorted(self.seconds.items())}

    def quantile(self, share: float) -> float:
        """Return the seconds within which that share of the answers with status 200 came."""
        return float(np.quantile(self.seconds.get(200, [np.nan]), share))

    def peak(self) -> float:
        """Return the highest memory seen, in MB."""
        return max(megabytes for _, megabytes in self.memory)


def distinct_requests(queries: Sequence[str], texts: Sequence[str], candidates: int, seed: int) -> Iterator[Any]:
    """Yield bodies of rerank without end, in which no query comes twice."""
    draw = np.random.default_rng(seed)
    for number in itertools.count():
        query = f"{queries[number % len(queries)]} {number}"
        yield {
            "model": "any",
            "query": query,
            "documents": [texts[at] for at in draw.integers(len(texts), size=candidates)],
        }


async def closed_loop(url: str, bodies: Iterator[Any], clients: int, seconds: float, process: int) -> Load:
    """Ask with so many clients, each of which sends its next request when it has the answer to the last."""
    load, end = Load(), time.monotonic() + seconds

    async def client(session: httpx.AsyncClient) -> None:
        while time.monotonic() < end:
            await _ask(session, url, next(bodies), load)

    began = time.monotonic()
    async with _session(clients) as session, _watched(load, process):
        await asyncio.gather(*(client(session) for _ in range(clients)))
    load.took = time.monotonic() - began
    return load


async def open_loop(url: str, bodies: Iterator[Any], rate: float, seconds: float, process: int) -> Load:
    """Ask so many times a second, whether or not answers come."""
    load, tasks, began = Load(), set(), time.monotonic()
    async with _session(1000) as session, _watched(load, process):
        for number in range(int(rate * seconds)):
            await asyncio.sleep(began + number / rate - time.monotonic())
            tasks.add(asyncio.create_task(_ask(session, url, next(bodies), load)))
        await asyncio.gather(*tasks)
    load.took = time.monotonic() - began
    return load


async def _ask(session: httpx.AsyncClient, url: str, body: Any, load: Load) -> None:
    began = time.monotonic()
    try:
        status = (await session.post(url, json=body)).status_code
    except httpx.HTTPError:
        status = 0
    load.seconds.setdefault(status, []).append(time.monotonic() - began)


def _session(connections: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=connections), trust_env=False)


class _watched:  # it reads as a part of the sentence
    """Notes the memory of a process and its children four times a second."""

    def __init__(self, load: Load, process: int) -> None:
        self.load, self.process = load, psutil.Process(process)

    async def __aenter__(self) -> None:
        self.began, self.task = time.monotonic(), asyncio.create_task(self._watch())

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()

    async def _watch(self) -> None:
        while True:
            family = [self.process, *self.process.children(recursive=True)]
            held = sum(each.memory_info().rss for each in family)
            self.load.memory.append((time.monotonic() - self.began, held / 1e6))
            await asyncio.sleep(0.25)
