"""Five million pairs that repeat themselves through the engine, and what a hundred million would take.

    python -m benchmarks.hundred_million [BUNDLE_OR_ROUTING] [--rows 5000000] [--out runs/hundred-million] [--peer 2000]

The file is that of `benchmarks.zipf`. Its distinct pairs are a second file, in which no pair comes twice, so that what
the memory of pairs is worth is seen; and some rows of the first are scored by `sentence_transformers.CrossEncoder` with
multilingual-e5-small, whose speed does not depend on its weights, the best of three batch sizes. Prints JSON lines; the
projection takes the file to go on as it began, although more of its pairs and texts would be known by then.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.zipf import COMPOSITION, repetition, write_zipf
from shopglot.jobs import score_files

ROOT = Path(__file__).parents[1]
ROUTING = ROOT / "runs" / "cascade" / "budget" / "routing.json"
"""What `benchmarks.cascade` leaves behind."""
ROWS = 5_000_000
WANTED = 100e6


def main() -> None:
    """Score both files, each in a process of its own, and the peer's rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=ROUTING, help="a bundle or a routing file")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--peer", type=int, default=2_000, help="so many rows for the peer; 0: without it")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "hundred-million")
    given = parser.parse_args()
    files = {"zipf": write_zipf(given.rows, given.out / f"zipf-{given.rows}.jsonl")}
    pairs = pl.read_ndjson(files["zipf"])
    print(json.dumps({"composition": COMPOSITION, **repetition(pairs)}))
    files["distinct"] = given.out / f"distinct-{given.rows}.jsonl"
    pairs.unique(["origin_query", "category_path"], maintain_order=True).write_ndjson(files["distinct"])
    rates = {}
    for name, path in files.items():
        figures = _in_a_process(given.model, path, given.out)
        rates[name] = figures["rows"] / figures["seconds"]
        hours = {"hours_for_100_million": round(WANTED / rates[name] / 3600, 2)} if name == "zipf" else {}
        print(json.dumps({"file": name, **figures, "rows_per_second": round(rates[name]), **hours}))
    if given.peer:
        sample = pairs.head(given.peer)
        peer = {size: given.peer / seconds for size, seconds in _peer(sample)}
        best = max(peer.values())
        times = {f"times, {name}": round(rate / best, 1) for name, rate in rates.items()}
        print(json.dumps({"CrossEncoder.predict": {size: round(rate, 1) for size, rate in peer.items()}, **times}))


def measure(model: Path, path: Path, out: Path) -> None:
    """Score a file as `shopglot score` does, and print what that took."""
    start, processor = time.perf_counter(), time.process_time()
    counts = score_files(model, [path], out / "scored.parquet")
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rounded = {"seconds": round(seconds, 1), "processor_seconds": round(busy, 1), "peak_gb": round(peak, 2)}
    print(json.dumps({**rounded, **counts}))


def _in_a_process(model: Path, path: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.hundred_million", "--measure", str(model), str(path), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _peer(sample: pl.DataFrame) -> Iterator[tuple[int, float]]:
    """Yield each batch size with the seconds that CrossEncoder.predict took."""
    from sentence_transformers import CrossEncoder

    from shopglot.learn.pretrained import resolve

    encoder = CrossEncoder(str(resolve("embedded:multilingual-e5-small")), num_labels=1, max_length=64)
    texts = list(sample.select("origin_query", "category_path").iter_rows())
    encoder.predict(texts[:64])
    for size in (16, 32, 128):
        start = time.perf_counter()
        encoder.predict(texts, batch_size=size)
        yield size, time.perf_counter() - start


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*map(Path, sys.argv[2:]))
    else:
        main()
