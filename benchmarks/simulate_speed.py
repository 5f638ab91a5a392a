"""How fast the simulated marketplace is written, and in how much memory: `python -m benchmarks.simulate_speed`."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from shopglot.demo.simulate import simulate

SIZES = (20_000, 100_000, 400_000)


def main() -> None:
    """Print one JSON line per size; memory is the most this process has held so far."""
    for pairs in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            simulate(Path(folder), pairs=pairs, seed=0)
            seconds = time.perf_counter() - start
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        record = {"benchmark": "simulate_speed", "pairs": pairs, "pairs_per_minute": round(60 * pairs / seconds)}
        print(json.dumps(record | {"peak_megabytes": round(megabytes)}))


if __name__ == "__main__":
    main()
