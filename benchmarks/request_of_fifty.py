"""One online request of fifty candidates: how long it takes, and how well it is decided.

    python -m benchmarks.request_of_fifty [BUNDLE_OR_ROUTING] [--requests 2000] [--deadline 0.015] [--peer 40]

A request is a query of the public Shopify dev file that was not asked before, with its labelled pairs and with paths
around them in the sorted tree up to fifty. The paths of the shop were read before, as they are in a server. F1 is that
on the labelled pairs of all requests. A cascade is asked within a deadline: its first stage decides all pairs, later
ones those that fit. The peer is `sentence_transformers.CrossEncoder` with multilingual-e5-small, the best of three
batch sizes. Prints JSON lines, in milliseconds of the clock and of the processor.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.zipf import SHOPIFY
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.merge.decide import Decided, Decider
from shopglot.serve.cascade import Cascade
from shopglot.serve.deciders import load_decider

ROUTING = Path(__file__).parents[1] / "runs" / "cascade" / "budget" / "routing.json"
"""What `benchmarks.cascade` leaves behind."""
CANDIDATES = 50
WARM_UP = 20


def main() -> None:
    """Ask the model, and the peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=ROUTING, help="a bundle or a routing file")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--deadline", type=float, default=0.015, help="seconds")
    parser.add_argument("--peer", type=int, default=40, help="so many requests for the peer; 0: without it")
    given = parser.parse_args()
    decider = load_decider(given.model)
    dev = prepare_for_scoring([SHOPIFY / "dev_QC.txt"], decider.curate).pairs.labelled
    tree = (
        pl.Series([*read_taxonomy([SHOPIFY / "taxonomy" / "en.tsv.gz"], decider.curate), *dev["target"]])
        .unique()
        .sort()
    )
    decider = decider.knowing(tree.to_list())
    decider.score_clean(
        Pairs.from_frame(pl.DataFrame({"target": tree}).with_columns(task=pl.lit("QC"), query=pl.lit("a")))
    )
    requests = _requests(dev, tree, given.requests + WARM_UP)
    print(json.dumps({"side": given.model.stem, **_asked(_answering(decider, given.deadline), requests)}))
    if given.peer:
        _ask_peer(requests[: given.peer])


def _answering(decider: Decider, deadline: float) -> Callable[[Pairs], Decided]:
    if isinstance(decider, Cascade):
        return lambda pairs: decider.score_within(pairs, deadline)
    return decider.score_clean


def _requests(dev: Pairs, tree: pl.Series, count: int) -> list[Pairs]:
    """Return the requests: the labelled pairs of a query first, then the paths around the first of them."""
    requests = []
    rng = np.random.default_rng(3)
    place = {path: number for number, path in enumerate(tree.to_list())}
    for part in dev.frame.partition_by("query", maintain_order=True)[:count]:
        around = (place[part["target"][0]] + rng.permutation(np.arange(-CANDIDATES, CANDIDATES))) % len(tree)
        others = tree[around].filter(~tree[around].is_in(part["target"].implode()))[: CANDIDATES - part.height]
        filled = pl.DataFrame({"target": others}).with_columns(task=pl.lit("QC"), query=pl.lit(part["query"][0]))
        labelled = part.select("task", "query", "target", "label")
        requests.append(Pairs.from_frame(pl.concat([labelled, filled], how="diagonal_relaxed")))
    return requests


def _asked(answer: Callable[[Pairs], Decided], requests: Sequence[Pairs]) -> dict[str, Any]:
    clock, processor, labels, decisions, stages = [], [], [], [], Counter[str]()
    for request in requests:
        start, busy = time.perf_counter(), time.process_time()
        decided = answer(request)
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
        known = request["label"].is_not_null().to_numpy()
        labels.append(request["label"].to_numpy()[known])
        decisions.append(decided.decision[known])
        if decided.stage is not None:
            stages.update(decided.stage.to_list())
    label, decision = np.concatenate(labels).astype(np.int8), np.concatenate(decisions)
    return {
        "requests": len(requests) - WARM_UP,
        "clock_ms": _percentiles(clock[WARM_UP:]),
        "processor_ms": _percentiles(processor[WARM_UP:]),
        "f1": round(Confusion.of(label, decision).f1, 4),
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
        clock, processor = [], []
        for pairs in texts:
            start, busy = time.perf_counter(), time.process_time()
            encoder.predict(pairs, batch_size=size)
            clock.append(time.perf_counter() - start)
            processor.append(time.process_time() - busy)
        figures = {"clock_ms": _percentiles(clock), "processor_ms": _percentiles(processor)}
        print(json.dumps({"side": "CrossEncoder.predict", "batch_size": size, "requests": len(texts), **figures}))


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    return {f"p{q}": round(1e3 * float(np.percentile(seconds, q)), 1) for q in (50, 95, 99)}


if __name__ == "__main__":
    main()
