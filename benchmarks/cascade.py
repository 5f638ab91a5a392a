"""A cascade of vectors and the blend beside the blend alone, on the same pairs in one run.

    python -m benchmarks.cascade [--run runs/shopify-qc] [--teacher BUNDLE] [--pairs N] [--out runs/cascade]

The teacher is the blend of the public Shopify run, as it was trained or packed. The first stage is what that blend has
of frozen vectors, alone and with a decision of its own. Bands are chosen on the run's tune part, from which no stage
learned more than its calibration, and judged on dev. Every side is a process of its own, so that no text is known to
it, is warm from other queries, and is measured on the same pairs: as a file of which nothing is known, and with the
vectors of the shop's paths computed before, as they are once a shop runs. Prints JSON lines; seconds are those of the
clock, and those that all threads together computed.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.zipf import SHOPIFY, shopify
from shopglot.config import load_recipe
from shopglot.core.folds import TUNE
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.curate.prepare import prepare, prepare_for_scoring
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.fold.store import load_folds
from shopglot.jobs import plan_cascade
from shopglot.merge.blend import Blend
from shopglot.merge.chain import redecide
from shopglot.merge.decide import Decided
from shopglot.merge.intervals import f1_difference, f1_interval
from shopglot.pack.bundle import Bundle
from shopglot.serve.cascade.budget import Wanted
from shopglot.serve.cascade.cascade import Cascade
from shopglot.serve.cascade.deciders import load_decider

ROOT = Path(__file__).parents[1]
DEV = SHOPIFY / "dev_QC.txt"
TREE = SHOPIFY / "taxonomy" / "en.tsv.gz"
WARM_UP = 512
"""Queries of training that every side has scored before it is timed."""


def main() -> None:
    """Make the first stage, choose a routing, and measure every side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "shopify-qc")
    parser.add_argument("--teacher", type=Path, help="a packed bundle of the run; without it, that of the run")
    parser.add_argument("--pairs", type=int, help="so many pairs of dev and of the tune part; without it, all")
    parser.add_argument("--lose", type=float, default=0.005)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "cascade")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    teacher = given.teacher or given.run / "bundle"
    tune = _tune_part(given.run, given.pairs, given.out / "tune.jsonl")
    vectors = first_stage(given.run, given.out / "vectors" / "bundle")
    budget = plan_cascade([vectors, teacher], [tune], given.out / "budget", Wanted(given.lose, None), taxonomy=[TREE])
    for stage in budget.stages:
        print(json.dumps({"stage": stage.name, **stage.cost._asdict()}))
    (chosen,) = budget.chosen.points.values()
    print(json.dumps({"chosen on": len(pl.read_ndjson(tune)), "f1": chosen.f1_elsewhere, "reached": chosen.reached}))
    sides = {"teacher": teacher, "vectors": vectors, "cascade": given.out / "budget" / "routing.json"}
    dev = _dev(given.pairs)
    judged, rates = {}, {}
    for name, path in sides.items():
        for known in ("nothing", "paths"):
            figures, decided = _in_a_process(path, known, given.pairs, given.out)
            rates[name, known] = figures["pairs_per_second"], figures["pairs_per_processor_second"]
            print(json.dumps({"side": name, "known": known, **figures}))
        judged[name] = Judged(name, dev, decided["probability"].to_numpy(), decided["decision"].to_numpy())
    _compare(judged, rates)


def first_stage(run: Path, out: Path) -> Path:
    """Write the frozen vectors of the run's blend as a bundle of their own, and return its folder."""
    bundle, recipe = Bundle.load(run / "bundle"), load_recipe(run / "recipe.yaml")
    if not isinstance(bundle.scorer, Blend):
        raise TypeError(f"the bundle of {run} is no blend")
    tune, rate = _tune(run)
    alone = Blend({"use": bundle.scorer.scorers["use"]}, {"QC": {"use": 1.0}})
    decision = redecide(tune, alone.score(tune), recipe.merge, {"QC": rate})
    replace(bundle, scorer=alone, decision=decision, facts={**bundle.facts, "name": "vectors"}).save(out)
    return out


def measure_side(path: Path, known: str, pairs: int | None, out: Path) -> None:
    """Score the pairs of dev once, keep what is decided in `out`, and print the time."""
    dev = _dev(pairs)
    decider = load_decider(path)
    tree = read_taxonomy([TREE], decider.curate)
    decider = decider.knowing([*tree, *dev["target"].unique().to_list()])
    warm = _warm_up(dev, dev["target"].unique() if known == "paths" else dev["target"][:1])
    for each in [stage.decider for stage in decider.stages] if isinstance(decider, Cascade) else [decider]:
        each.score_clean(warm)
    start, processor = time.perf_counter(), time.process_time()
    decided = decider.score_clean(dev)
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    _keep(decided, out)
    print(
        json.dumps(
            {
                "pairs": len(dev),
                "seconds": round(seconds, 2),
                "processor_seconds": round(busy, 2),
                "pairs_per_second": round(len(dev) / seconds, 1),
                "pairs_per_processor_second": round(len(dev) / busy, 1),
                "f1": round(Confusion.of(dev.labels, decided.decision).f1, 4),
                "decided_by": {} if decided.stage is None else dict(decided.stage.value_counts().iter_rows()),
            }
        )
    )


def _in_a_process(path: Path, known: str, pairs: int | None, out: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    kept = out / "decided.parquet"
    command = [sys.executable, "-m", "benchmarks.cascade", "--side", str(path), known, str(pairs or 0), str(kept)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]), pl.read_parquet(kept)


def _compare(judged: dict[str, Judged], rates: dict[tuple[str, str], tuple[float, float]]) -> None:
    everything = np.ones(len(judged["teacher"].pairs), dtype=np.bool_)
    for name in ("vectors", "cascade"):
        low, high = f1_difference(judged[name], judged["teacher"], everything, repetitions=1000, seed=17)
        own = f1_interval(judged[name], everything, repetitions=1000, seed=17)
        f1 = [Confusion.of(side.pairs.labels, side.decision).f1 for side in (judged[name], judged["teacher"])]
        print(
            json.dumps(
                {
                    "side": name,
                    "f1_over_teacher": round(f1[0] - f1[1], 4),
                    "interval": [round(low, 4), round(high, 4)],
                    "f1_interval": [round(bound, 4) for bound in own],
                    **{
                        f"times the teacher, by {clock}": {
                            k: round(rates[name, k][n] / rates["teacher", k][n], 1) for k in ("nothing", "paths")
                        }
                        for n, clock in enumerate(("the clock", "processor time"))
                    },
                }
            )
        )


def _dev(pairs: int | None) -> Pairs:
    read = prepare_for_scoring([DEV], load_recipe(ROOT / "recipes" / "shopify-qc.yaml").curate).pairs.labelled
    return read if not pairs else Pairs(read.frame.sample(min(pairs, len(read)), seed=1))


def _tune(run: Path) -> tuple[Pairs, float]:
    recipe, folds = load_recipe(run / "recipe.yaml"), load_folds(run / "folds")
    train = prepare(recipe.data.train, recipe.curate, max_bad_rows=0.05, labelled_only=True).pairs
    return train.filter(folds.judges(train, TUNE)), float(train.labels.mean())


def _tune_part(run: Path, pairs: int | None, out: Path) -> Path:
    tune, _ = _tune(run)
    frame = tune.frame.select("id", "task", "language", "label", origin_query="query", category_path="target")
    (frame.sample(min(pairs, frame.height), seed=2) if pairs else frame).write_ndjson(out)
    return out


def _warm_up(dev: Pairs, paths: pl.Series) -> Pairs:
    """Return all of these paths with queries that dev does not have, so that engines and libraries are warm."""
    queries = shopify("train")["origin_query"].unique(maintain_order=True)
    other = queries.filter(~queries.is_in(dev["query"].implode())).head(WARM_UP)
    numbers = np.arange(max(len(paths), WARM_UP))
    frame = pl.DataFrame({"query": other[numbers % len(other)], "target": paths[numbers % len(paths)]})
    return Pairs.from_frame(frame.with_columns(task=pl.lit("QC")))


def _keep(decided: Decided, out: Path) -> None:
    pl.DataFrame({"probability": decided.probability, "decision": decided.decision}).write_parquet(out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        _, _, side, what, count, where = sys.argv
        measure_side(Path(side), what, int(count) or None, Path(where))
    else:
        main()
