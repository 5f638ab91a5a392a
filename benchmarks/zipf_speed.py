"""A file that repeats itself, scored by a packed cross-encoder and a peer: `python -m benchmarks.zipf_speed [rows]`.

The file is that of `benchmarks.zipf`; the cross-encoder is that of `benchmarks.cross_encoder`, packed in int8 as
`shopglot pack` does it. With the memory of pairs the engine reads the whole file and scores each distinct pair once, as
`shopglot score` does; without it, the first rows all run through the network, those that repeat too. The peer is
`CrossEncoder.predict` in torch float32 on the first rows, the best of three batch sizes; it remembers nothing, so its
speed is that of any rows. All sides are warm. Prints JSON lines.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import cast

import polars as pl

from benchmarks.cross_encoder import ROOT, cross_encoder
from benchmarks.pack_speed import best, packed, torch_predict
from benchmarks.zipf import COMPOSITION, repetition, write_zipf
from shopglot.core.pairs import Pairs
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.jobs import score_files
from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.reading import text_pairs
from shopglot.pack.bundle import Bundle
from shopglot.pack.session_scorer import SessionScorer

BUNDLE = ROOT / "runs" / "cross-encoder-int8"
ROWS = 200_000
WITHOUT = 10_000
PEER = 2_000


def main(rows: int) -> None:
    """Score the file with and without the memory of pairs, and some of its rows with the peer."""
    trained = cross_encoder()
    path = write_zipf(rows, ROOT / "runs" / "zipf" / f"zipf-{rows}.jsonl")
    counted = repetition(pl.read_ndjson(path))
    print(json.dumps({"benchmark": "zipf_speed", "composition": COMPOSITION, **counted}), flush=True)
    bundle = Bundle.load(_packed(trained))
    pairs = prepare_for_scoring([path], bundle.curate).pairs
    network = cast("SessionScorer", bundle.scorer).network
    texts = text_pairs(Pairs(pairs.frame.head(WITHOUT)), cast("SessionScorer", bundle.scorer).template).rows()
    network(texts[:PEER])
    start = perf_counter()
    network(texts)
    without = len(texts) / (perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        score_files(BUNDLE, [path], Path(folder) / "scored.parquet")
        remembered = rows / (perf_counter() - start)
    peer = _peer(trained, texts[:PEER])
    for side, rate in (("with the memory of pairs", remembered), ("without", without), ("CrossEncoder.predict", peer)):
        times = {"times": round(rate / peer, 1)}
        print(json.dumps({"benchmark": "zipf_speed", "side": side, "rows_per_second": round(rate, 1), **times}))


def _packed(trained: Bundle) -> Path:
    if not BUNDLE.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            own = packed(trained, "int8", Path(folder) / "int8")
            replace(own, facts={**own.facts, "name": "cross-encoder-int8"}).save(BUNDLE)
    return BUNDLE


def _peer(trained: Bundle, texts: Sequence[tuple[str, str]]) -> float:
    """Return the rows per second of the peer."""
    _, seconds, _ = best(torch_predict(cast("EncoderScorer", trained.scorer)), texts)
    return len(texts) / seconds


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
