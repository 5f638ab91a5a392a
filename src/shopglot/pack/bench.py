"""How fast a bundle is on this machine, and how much memory it takes."""

import platform
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.pack.bundle import Bundle, load
from shopglot.pack.engines import cores

_WARM_UP: Final = 5
_MEGABYTE: Final = 2**20
_PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured: seconds to load, distinct pairs a second, and one request of `candidates` in milliseconds.

    Memory is the resident set of the process in MiB. The pairs are `pairs` distinct ones of `queries` and `targets`.
    """

    bundle: str
    processor: str
    cores: int
    pairs: int
    queries: int
    targets: int
    load_seconds: float
    pairs_per_second: float
    candidates: int
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    loaded_mib: float
    peak_mib: float

    @property
    def facts(self) -> dict[str, Any]:
        """The figures as JSON."""
        return asdict(self)


def bench(folder: Path, pairs: Callable[[Bundle], Pairs], *, candidates: int, requests: int, seed: int) -> Bench:
    """Load the bundle in `folder` and measure it on the clean pairs that `pairs` gives for it.

    Throughput is that of the second time it scores pairs, and of others than the first, so that engines are warm and
    no text is remembered. Each request asks for another query with targets drawn from the pairs.
    """
    start = perf_counter()
    bundle = load(folder)
    load_seconds, loaded = perf_counter() - start, _resident()
    distinct = Pairs(pairs(bundle).frame.unique(["task", "query", "target"], maintain_order=True))
    if len(distinct) < 2:  # noqa: PLR2004
        raise DataError("a bench needs at least two distinct pairs; name a file with more")
    first, second = (Pairs(distinct.frame.gather_every(2, offset)) for offset in (0, 1))
    bundle.score_clean(first)
    seconds = _timed(partial(bundle.score_clean, second))
    rng = np.random.default_rng(seed)
    asked = [_request(distinct, candidates, rng) for _ in range(_WARM_UP + requests)]
    latency = [_timed(partial(bundle.score_clean, one)) for one in asked][_WARM_UP:]
    p50, p95, p99 = (round(1000 * float(value), 2) for value in np.percentile(latency, _PERCENTILES))
    return Bench(
        bundle=str(bundle.facts.get("name", folder.name)),
        processor=_processor(),
        cores=cores(),
        pairs=len(second),
        queries=second["query"].n_unique(),
        targets=second["target"].n_unique(),
        load_seconds=round(load_seconds, 2),
        pairs_per_second=round(len(second) / seconds, 1),
        candidates=candidates,
        requests=requests,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        loaded_mib=loaded,
        peak_mib=round(_peak(), 1),
    )


def _request(pairs: Pairs, candidates: int, rng: np.random.Generator) -> Pairs:
    """Return one query of `pairs` with targets of the same task, each drawn at random."""
    row = pairs.frame[int(rng.integers(len(pairs)))]
    targets = pairs.frame.filter(pl.col("task") == row["task"].item())["target"]
    drawn = targets.gather(rng.integers(len(targets), size=candidates))
    return Pairs(pl.concat([row] * candidates).with_columns(target=drawn))


def _timed(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def _resident() -> float:
    """Return the MiB that this process has in memory now; where the system does not tell, the most it ever had."""
    status = Path("/proc/self/statm")
    if not status.is_file():
        return round(_peak(), 1)
    return round(int(status.read_text(encoding="utf-8").split()[1]) * resource.getpagesize() / _MEGABYTE, 1)


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGABYTE


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
