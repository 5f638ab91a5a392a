"""How fast files of pairs go through the streaming engine beside the model, and in how much memory.

The model is a double that costs nothing: it reads a score off a hash of the pair, so that what is timed is reading,
cleaning, the memory of pairs, and writing. Languages are not told, for it has no thresholds of languages. The files
have half QC and half QI pairs in 13 languages; queries and targets are drawn by a Zipf law, as in a shop's log, so that
rows repeat themselves; how many are distinct is printed. Each size is scored in a process of its own: `peak_gb` is its
peak of memory, `peak_gb_before` that after the libraries were loaded. Prints one JSON line per size. Run it with
`python -m benchmarks.engine_stream [rows…]`.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from subprocess import run
from typing import Final

import numpy as np
import polars as pl

from benchmarks.prepare_million import LEVELS, SEED, WORDS
from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided

ROWS: Final = (1_000_000, 10_000_000)
QUERIES: Final = 200_000
TARGETS: Final = 100_000
EXPONENT: Final = 1.1
_AT_ONCE: Final = 500_000


@dataclass(frozen=True, slots=True)
class FreeDecider:
    """Decides by a hash of the texts."""

    curate: CurateSettings
    columns_read: tuple[str, ...] = ()

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return a probability that looks random and is the same for the same pair."""
        hashes = pairs.frame.select("query", "target").hash_rows(SEED)
        probability = (hashes % 1000).to_numpy() / 1000
        read = pl.Series(["original"]).new_from_index(0, len(pairs))
        return Decided(probability, probability >= 0.5, np.full(len(pairs), 0.5), read)

    def knowing(self, paths: Iterable[str]) -> "FreeDecider":
        """Return itself, for it looks at no path but the pair's."""
        return self


def main(sizes: tuple[int, ...]) -> None:
    """Write a file of each size and score it in a process of its own."""
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pairs.jsonl"
            facts = write_file(path, rows)
            command = [sys.executable, "-m", "benchmarks.engine_stream", "--one", str(path)]
            done = run(command, check=True, capture_output=True, text=True)
            print(json.dumps(facts | json.loads(done.stdout.splitlines()[-1])), flush=True)


def write_file(path: Path, rows: int) -> dict[str, object]:
    """Write the file, and return what it is composed of."""
    rng = np.random.default_rng(SEED)
    queries, titles, paths = _queries(rng), _titles(rng), _paths()
    seen = []
    with path.open("wb") as file:
        for start in range(0, rows, _AT_ONCE):
            count = min(_AT_ONCE, rows - start)
            table = _drawn(rng, count, queries, titles, paths)
            seen.append(table.select("origin_query", "category_path", "item_title").hash_rows(SEED).unique())
            table.with_columns(id=pl.int_range(start, start + count)).write_ndjson(file)
    return {
        "benchmark": "engine_stream",
        "rows": rows,
        "distinct_pairs": pl.concat(seen).n_unique(),
        "gigabytes": round(path.stat().st_size / 1e9, 2),
    }


def score(path: Path) -> None:
    """Score one file, and print seconds and memory."""
    from shopglot.serve.files.stream import Scoring, begun, score_chunks, survey_files

    before, start, worked = _peak(), time.perf_counter(), time.process_time()
    model = path.with_name("manifest.json")
    model.write_text("{}", encoding="utf-8")
    scoring = Scoring((path,), path.with_name("scored.jsonl"))
    decider = FreeDecider(CurateSettings())
    with begun(scoring, path.parent) as journal:
        found = survey_files(scoring, decider, journal)
        surveyed = time.perf_counter()
        counts = score_chunks(scoring, decider, found, journal)
    ended = time.perf_counter()
    figures = {
        "seconds": {"survey": round(surveyed - start, 1), "score": round(ended - surveyed, 1)},
        "rows_per_second": {
            "scoring": int(counts["rows"] / (ended - surveyed)),
            "all": int(counts["rows"] / (ended - start)),
        },
        "cpu_seconds": round(time.process_time() - worked, 1),
        "peak_gb": _peak(),
        "peak_gb_before": before,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures))


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


def _drawn(
    rng: np.random.Generator, count: int, queries: pl.DataFrame, titles: pl.Series, paths: pl.Series
) -> pl.DataFrame:
    category = pl.Series(rng.random(count) < 0.5)
    asked = queries[_zipf(rng, count, queries.height)]
    return asked.with_columns(
        task=pl.select(pl.when(category).then(pl.lit("QC")).otherwise(pl.lit("QI"))).to_series(),
        category_path=pl.select(pl.when(category).then(paths[_zipf(rng, count, len(paths))])).to_series(),
        item_title=pl.select(pl.when(~category).then(titles[_zipf(rng, count, len(titles))])).to_series(),
        shelf=pl.Series(rng.integers(0, 1000, count)),
    )


def _zipf(rng: np.random.Generator, count: int, of: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    weights = 1 / np.arange(1, of + 1) ** EXPONENT
    return np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count)).clip(max=of - 1)


def _queries(rng: np.random.Generator) -> pl.DataFrame:
    languages = np.array(list(WORDS))[rng.integers(len(WORDS), size=QUERIES)]
    words = {language: np.array(text.split()) for language, text in WORDS.items()}
    texts = [" ".join(rng.choice(words[language], 3)) + f" {n % 5000}" for n, language in enumerate(languages)]
    wrong = rng.random(QUERIES) < 1 / 7
    return pl.DataFrame({"language": np.where(wrong, "en", languages), "origin_query": texts})


def _titles(rng: np.random.Generator) -> pl.Series:
    words = np.array(WORDS["en"].title().split())
    return pl.Series([f"{' '.join(rng.choice(words, 12))} {n}" for n in range(TARGETS)])


def _paths() -> pl.Series:
    return pl.Series([",".join(path) for path in product(LEVELS, repeat=4)])


if __name__ == "__main__":
    if "--one" in sys.argv:
        score(Path(sys.argv[-1]))
    else:
        main(tuple(map(int, sys.argv[1:])) or ROWS)
