"""One online request of fifty candidates: how long it takes, and how well it is decided.

    python -m benchmarks.request_of_fifty [BUNDLE_OR_ROUTING …] [--requests 2000] [--deadline 0.015] [--peer 40]

A request is a query of the public Shopify dev file that was not asked before, with its labelled pairs and with paths
around them in the sorted tree up to fifty. The paths of the shop were read before, as they are in a server. F1 is that
on the labelled pairs of all requests. Each model is asked in a process of its own, with one thread for each library,
and behind `shopglot serve` over loopback, one request after the other. A cascade is asked within the deadline: its
first stage decides all pairs, later ones those that fit. The peer is `sentence_transformers.CrossEncoder` with
multilingual-e5-small, the best of three batch sizes and two numbers of threads. Without a model, the frozen vectors of
the run's blend are asked. Prints JSON lines, in milliseconds of the clock and of the processor.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.cascade import first_stage
from benchmarks.serve_load import free_port, server
from benchmarks.zipf import SHOPIFY
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.settings import CurateSettings
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.serve.cascade.cascade import Cascade
from shopglot.serve.http.run import Given, load_served
from shopglot.serve.http.threads import at_rest, limit_products

ROOT = Path(__file__).parents[1]
VECTORS = ROOT / "runs" / "vectors" / "bundle"
CURATE = CurateSettings(correct_language=False)
CANDIDATES = 50
WARM_UP = 20


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What a side says of the pairs of one request, in order, and by which stages."""

    decision: np.ndarray[Any, Any]
    stages: list[str] = field(default_factory=list)


Answer = Callable[[Pairs], Said]


def main() -> None:
    """Ask each model in both ways, and the peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", help="bundles or routing files")
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "shopify-qc")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--deadline", type=float, default=0.015, help="seconds")
    parser.add_argument("--peer", type=int, default=40, help="so many requests for the peer; 0: without it")
    parser.add_argument("--side", help="what this process asks")
    given = parser.parse_args()
    if given.side is not None:
        _side(given)
        return
    if not given.models and not VECTORS.is_dir():
        first_stage(given.run, VECTORS)
    options = ["--requests", str(given.requests), "--deadline", str(given.deadline), "--peer", str(given.peer)]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree.txt"
        tree.write_text("".join(f"{path}\n" for path in _tree()), encoding="utf-8")
        for model in given.models or [VECTORS]:
            for side in ("process", "http"):
                _in_a_process([str(model), "--side", side, "--run", str(tree), *options])
        if given.peer:
            for threads in ("1", "2"):
                _in_a_process(["--side", "peer", *options], {"OMP_NUM_THREADS": threads})


def _in_a_process(arguments: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a side of its own, for polars reads how many threads it may use when it is imported."""
    command = [sys.executable, "-m", "benchmarks.request_of_fifty", *arguments]
    subprocess.run(command, check=True, env={**os.environ, "POLARS_MAX_THREADS": "1", **(environment or {})})


def _side(given: argparse.Namespace) -> None:
    requests = _requests(given.requests + WARM_UP)
    if given.side == "peer":
        _ask_peer(requests[: given.peer])
        return
    (model,) = given.models
    asked = _asked_here if given.side == "process" else _asked_over_http
    figures = asked(model, given.run, given.deadline, requests)
    print(json.dumps({"model": model.parent.name, "asked": given.side, "deadline": given.deadline, **figures}))


def _asked_here(model: Path, tree: Path, deadline: float, requests: Sequence[Pairs]) -> dict[str, Any]:
    decider, _ = load_served(model, Given(taxonomy=[tree]))
    limit_products(1)
    at_rest()

    def answer(pairs: Pairs) -> Said:
        decided = decider.score_within(pairs, deadline) if isinstance(decider, Cascade) else decider.score_clean(pairs)
        return Said(decided.decision, [] if decided.stage is None else decided.stage.to_list())

    return _figures(answer, requests)


def _asked_over_http(model: Path, tree: Path, deadline: float, requests: Sequence[Pairs]) -> dict[str, Any]:
    """Ask a server as its client does; the queries are given with their language."""
    with tempfile.TemporaryDirectory() as folder:
        limits = Path(folder) / "limits.yaml"
        # No other client could join a batch.
        limits.write_text(json.dumps({"threads": 1, "join_seconds": 0, "answer_seconds": deadline}), encoding="utf-8")
        port = free_port()
        serve: list[str | Path] = [sys.executable, "-m", "shopglot", "serve", model, "--port", str(port)]
        with server([*serve, "--taxonomy", tree, "--settings", limits], f"http://127.0.0.1:{port}/ready"):
            connection = http.client.HTTPConnection("127.0.0.1", port)

            def answer(pairs: Pairs) -> Said:
                asked = pairs.frame.select("task", "query", "target", "language").to_dicts()
                connection.request(
                    "POST", "/v1/relevance", json.dumps({"pairs": asked}), {"content-type": "application/json"}
                )
                results = json.loads(connection.getresponse().read())["results"]
                stages = [each["stage"] for each in results if each["stage"]]
                return Said(np.array([each["relevant"] for each in results]), stages)

            return _figures(answer, requests)


def _tree() -> list[str]:
    known = read_taxonomy([SHOPIFY / "taxonomy" / "en.tsv.gz"], CURATE)
    return pl.Series([*known, *_dev()["target"]]).unique().sort().to_list()


def _dev() -> Pairs:
    return prepare_for_scoring([SHOPIFY / "dev_QC.txt"], CURATE).pairs.labelled


def _requests(count: int) -> list[Pairs]:
    """Return the requests: the labelled pairs of a query first, then the paths around the first of them."""
    requests, rng, paths = [], np.random.default_rng(3), _tree()
    place, tree = {path: number for number, path in enumerate(paths)}, pl.Series(paths)
    for part in _dev().frame.partition_by("query", maintain_order=True)[:count]:
        around = (place[part["target"][0]] + rng.permutation(np.arange(-CANDIDATES, CANDIDATES))) % len(tree)
        others = tree[around].filter(~tree[around].is_in(part["target"].implode()))[: CANDIDATES - part.height]
        labelled = part.select("task", "query", "target", "label")
        filled = pl.DataFrame({"target": others}).with_columns(task=pl.lit("QC"), query=pl.lit(part["query"][0]))
        request = pl.concat([labelled, filled], how="diagonal_relaxed")
        requests.append(Pairs.from_frame(request.with_columns(language=pl.lit(part["language"][0]))))
    return requests


def _figures(answer: Answer, requests: Sequence[Pairs]) -> dict[str, Any]:
    clock, processor, labels, decisions, stages = [], [], [], [], Counter[str]()
    for request in requests:
        start, busy = time.perf_counter(), time.process_time()
        said = answer(request)
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
        known = request["label"].is_not_null().to_numpy()
        labels.append(request["label"].to_numpy()[known])
        decisions.append(said.decision[known])
        stages.update(said.stages)
    label, decision = np.concatenate(labels).astype(np.int8), np.concatenate(decisions)
    return {
        "requests": len(requests) - WARM_UP,
        "clock_ms": _percentiles(clock[WARM_UP:]),
        "own_processor_ms": _percentiles(processor[WARM_UP:]),
        "f1": round(Confusion.of(label, decision).f1, 4),
        "all_positive_f1": round(Confusion.of(label, np.ones_like(decision)).f1, 4),
        "labelled_pairs": len(label),
        "decided_by": dict(stages),
    }


def _ask_peer(requests: Sequence[Pairs]) -> None:
    from sentence_transformers import CrossEncoder

    from shopglot.learn.pretrained import resolve

    encoder = CrossEncoder(str(resolve("embedded:multilingual-e5-small")), num_labels=1, max_length=64)
    texts = [list(request.frame.select("query", "target").iter_rows()) for request in requests]
    encoder.predict(texts[0])
    for size in (10, 32, 50):
        clock = []
        for pairs in texts:
            start = time.perf_counter()
            encoder.predict(pairs, batch_size=size)
            clock.append(time.perf_counter() - start)
        setting = {"batch_size": size, "threads": os.environ["OMP_NUM_THREADS"], "requests": len(texts)}
        print(json.dumps({"side": "CrossEncoder.predict", **setting, "clock_ms": _percentiles(clock)}))


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {f"p{q}": round(1e3 * float(np.percentile(seconds, q)), 1) for q in (50, 95, 99)}


if __name__ == "__main__":
    main()
