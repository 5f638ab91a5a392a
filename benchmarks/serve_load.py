"""A packed bundle behind `shopglot serve` beside the same cross-encoder behind infinity-emb, and under overload.

`python -m benchmarks.serve_load BUNDLE PACKED`: the bundle of a cross-encoder, whose transformers folder the peer
serves, and what `shopglot pack` made of it. Without them, those of `benchmarks.cross_encoder`. The peer runs from the
environment named by `INFINITY` (a folder with `bin/infinity_emb`), else it is a minimal FastAPI server around
sentence-transformers' `CrossEncoder.predict`.

Input: queries of `dev_QC.txt`, each with a number so that none comes twice, with random category paths of that file.
Both servers are started here, listen at loopback, and are ended here. Prints JSON lines.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.load import Load, closed_loop, distinct_requests, open_loop

ROOT = Path(__file__).parents[1]
DEV = ROOT.parent / "shared" / "data" / "shopify_qc" / "dev_QC.txt"
CLIENTS: Final = 16
CANDIDATES: Final = 50
WARM_UP: Final = 8.0
MEASURED: Final = 40.0
OVERLOAD: Final = 60.0
TIMES: Final = 5
PATIENT = {"queue_seconds": 60.0, "deadline_seconds": 60.0, "cache_bytes": 0}
"""As patient as the peer, which has neither deadline nor bound, so that both are asked the same."""
BOUNDED: dict[str, float] = {"cache_bytes": 0, "queue_seconds": 2.5, "deadline_seconds": 5.0}
"""The defaults, without the cache."""


def main(bundle: Path, packed: Path) -> None:
    """Measure both servers one after the other, then ours at five times what it bears."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a server that was started is ended
    print(json.dumps({"benchmark": "serve_load", "clients": CLIENTS, "candidates": CANDIDATES, "seconds": MEASURED}))
    with peer(bundle) as (name, url, process):
        report(name, measured(url, process))
    with ours(packed, PATIENT) as (url, process):
        load = measured(url, process)
        report("shopglot serve, packed", load)
    with ours(packed, BOUNDED) as (url, process):
        rate = TIMES * len(load.seconds[200]) / load.took
        asyncio.run(closed_loop(url, bodies(3), CLIENTS, WARM_UP, process))
        overload = asyncio.run(open_loop(url, bodies(4), rate, OVERLOAD, process))
        alive = httpx.get(url.replace("/v1/rerank", "/ready"), trust_env=False).status_code
    warm = [megabytes for second, megabytes in overload.memory if second < OVERLOAD / 4]
    late = [megabytes for second, megabytes in overload.memory if second > 3 * OVERLOAD / 4]
    row = {
        "requests_per_second": round(rate, 1),
        "statuses": overload.statuses,
        "accepted_p50": round(overload.quantile(0.5), 3),
        "accepted_p99": round(overload.quantile(0.99), 3),
        "deadline": BOUNDED["deadline_seconds"],
        "peak_mb_first_quarter": round(max(warm)),
        "peak_mb_last_quarter": round(max(late)),
        "ready_afterwards": alive,
    }
    print(json.dumps({"server": f"shopglot serve at {TIMES} times its load", **row}))


def measured(url: str, process: int) -> Load:
    """Return what a warmed server does with the clients."""
    asyncio.run(closed_loop(url, bodies(1), CLIENTS, WARM_UP, process))
    return asyncio.run(closed_loop(url, bodies(2), CLIENTS, MEASURED, process))


def report(server: str, load: Load) -> None:
    """Print the figures of one server."""
    answered = len(load.seconds.get(200, []))
    row = {
        "pairs_per_second": round(answered * CANDIDATES / load.took, 1),
        "p50": round(load.quantile(0.5), 3),
        "p99": round(load.quantile(0.99), 3),
        "peak_mb": round(load.peak()),
        "statuses": load.statuses,
    }
    print(json.dumps({"server": server, **row}), flush=True)


def bodies(seed: int) -> Iterator[Any]:
    """Return requests of the public file."""
    rows = [json.loads(line) for line in DEV.read_text(encoding="utf-8").splitlines()]
    queries = [f"{row['origin_query']} {seed}" for row in rows]
    return distinct_requests(queries, [row["category_path"] for row in rows], CANDIDATES, seed)


@contextmanager
def ours(bundle: Path, settings: dict[str, float]) -> Iterator[tuple[str, int]]:
    """Serve a bundle as the command line does."""
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "limits.yaml"
        limits.write_text(json.dumps(settings), encoding="utf-8")
        address = f"http://127.0.0.1:{(port := free_port())}"
        serve: list[str | Path] = [sys.executable, "-m", "shopglot", "serve", bundle, "--port", str(port)]
        with server([*serve, "--settings", limits], f"{address}/ready") as process:
            yield f"{address}/v1/rerank?task=QC", process


@contextmanager
def peer(bundle: Path) -> Iterator[tuple[str, str, int]]:
    """Serve the transformers folder of a bundle by infinity-emb, or by the minimal server where that is not here."""
    with tempfile.TemporaryDirectory() as folder:
        model = _readable_by_others(bundle / "scorer", Path(folder) / "model")
        program: list[str | Path]
        port = str(free_port())
        if home := os.environ.get("INFINITY"):
            name = "infinity-emb"
            program = [f"{home}/bin/infinity_emb", "v2", "--model-id", model, "--engine", "torch"]
            program += ["--device", "cpu", "--host", "127.0.0.1", "--port", port]
        else:
            name, program = (
                "CrossEncoder.predict behind FastAPI",
                [sys.executable, "-m", "benchmarks.serve_peer", model, port],
            )
        with server(program, f"http://127.0.0.1:{port}/health") as process:
            yield name, f"http://127.0.0.1:{port}/rerank", process


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def server(program: Sequence[str | Path], health: str) -> Iterator[int]:
    """Run a server until the block ends; it must answer within three minutes."""
    quiet = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "INFINITY_ANONYMOUS_USAGE_STATS": "0"}
    running = subprocess.Popen(
        list(map(str, program)), env={**os.environ, **quiet}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(180):
            time.sleep(1)
            try:
                ready = httpx.get(health, trust_env=False).status_code == 200
            except httpx.HTTPError:
                ready = False
            if running.poll() is not None:
                raise SystemExit(f"{program[0]} ended with {running.returncode}")
            if ready:
                break
        yield running.pid
    finally:
        running.terminate()
        running.wait(60)


def _readable_by_others(scorer: Path, folder: Path) -> Path:
    """Copy a transformers folder with its tokenizer under the name that earlier versions know it by."""
    shutil.copytree(scorer, folder)
    config = folder / "tokenizer_config.json"
    named = {**json.loads(config.read_text()), "tokenizer_class": "PreTrainedTokenizerFast"}
    config.write_text(json.dumps(named))
    return folder


def _packed(bundle: Path) -> Path:
    """Return the bundle in int8, packed where that was not done before."""
    from shopglot.jobs import pack_run
    from shopglot.pack.settings import PackSettings

    out = bundle.with_name(f"{bundle.name}-int8")
    if not (out / "manifest.json").is_file():
        pack_run(bundle, out, PackSettings(max_flips=0.05, max_f1_change=0.05), files=[DEV])
    return out


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        from benchmarks.cross_encoder import KEPT, cross_encoder

        cross_encoder()
        main(KEPT, _packed(KEPT))
