"""How many flipped labels `shopglot audit` finds, and what it is worth to correct them.

    python -m benchmarks.audit_noise [--pairs 20000] [--noise 0.08] [--seed 7] [--out runs/audit-noise]

A marketplace is simulated with flipped labels, and two quick learners are cross-validated on it. At a review budget of
as many rows as labels are flipped, one JSON line per task says which share of the flips among the scored pairs is in
the list: of the audit, of the models' scores without the votes of related rows, and of an oracle. The oracle ranks by
the probability of the given label that the same learners give in the same folds when they are fitted on the labels
without noise: the best that scores can do.

Then the truth edits the review file as a person would, `flip` where a listed label is wrong and `keep` where it is
right, and `run` takes it back. F1 is that of the shipped blends on the dev pairs against their labels without noise,
beside that of the oracle's learners, who met no noise at all.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.config import Recipe
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold
from shopglot.demo.simulate import read_truth
from shopglot.fold.store import load_folds
from shopglot.jobs import audit_run
from shopglot.merge.chain import cross_fitted
from shopglot.pack.bundle import Bundle, load
from shopglot.pack.record import SCORES
from shopglot.pipeline import Data, gather, learn, merge, run
from shopglot.report.intervals import f1_difference
from shopglot.report.measure import Measures

ROOT: Final = Path(__file__).parents[1]
LEARNERS: Final = [
    {"learner": "lexical"},
    {"learner": "embedding", "name": "use", "queries": ["original", "english"], "windows": [4]},
]
LANGUAGES: Final = ("en", "es", "fr", "pt", "ja", "ko", "th", "ar", "de", "id", "it", "pl", "vi")


def main() -> None:
    """Run, audit, correct and run again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--noise", type=float, default=0.08)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--qc", choices=("query", "both"), default="query", help="what the folds keep apart in QC")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "audit-noise")
    given = parser.parse_args()
    start, noisy, review = time.process_time(), given.out / "noisy", given.out / "review.csv"
    simulated = {"pairs": given.pairs, "seed": given.seed, "label_noise": given.noise}
    recipe = recipe_of(given.qc, simulate=simulated)
    run(recipe, noisy)
    truth, data = read_truth(noisy / "data"), gather(recipe, noisy)
    audited = audit_run(noisy, review, budget=given.noise)
    if (known := audited.known) is not None:
        shares = {"precision": known.precision, "recall": known.recall, "of_all_flips": known.found / known.everywhere}
        show(what="list", listed=known.listed, **shares)
    oracle, clean = without_noise(recipe, data, truth, noisy, given.out / "clean")
    blend = cross_fitted(data.train, OutOfFold(pl.read_parquet(noisy / SCORES)), recipe.merge)
    for figures in found(blend, oracle, audited.labels.suspects["id"], truth, given.noise):
        show(what="found", **figures)
    edit(review, truth, given.out / "edited.csv")
    run(recipe_of(given.qc, simulate=simulated, corrections=[given.out / "edited.csv"]), given.out / "corrected")
    bundles = {name: load(given.out / name / "bundle") for name in ("noisy", "corrected")}
    for figures in quality(bundles | {"clean": clean}, with_truth(data.dev.labelled, truth)):
        show(what="f1", **figures)
    show(what="time", cpu_seconds=time.process_time() - start)


def recipe_of(qc: str, **data: Any) -> Recipe:
    """Return the recipe of the benchmark for a source of pairs."""
    parts = {"curate": {"languages": LANGUAGES}, "fold": {"qc": qc}, "learn": LEARNERS}
    return Recipe.model_validate({"name": "audit-noise", "data": data, **parts})


def show(**figures: Any) -> None:
    """Print one JSON line."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps(rounded), flush=True)


def with_truth(pairs: Pairs, truth: pl.DataFrame) -> Pairs:
    """Return the pairs with their labels before noise."""
    return Pairs(pairs.frame.drop("label").join(truth, on="id", maintain_order="left").select(pairs.frame.columns))


def without_noise(recipe: Recipe, data: Data, truth: pl.DataFrame, noisy: Path, out: Path) -> tuple[Judged, Bundle]:
    """Return how the same learners judge the noisy run's folds, and what ships, when no label was flipped."""
    clean = replace(data, train=with_truth(data.train, truth))
    folds = load_folds(noisy / "folds")
    bundle, evidence = merge(recipe, clean, folds, learn(recipe, clean, folds, out), out)
    return evidence.judged[0], bundle


def found(
    blend: Judged, oracle: Judged, suspects: pl.Series, truth: pl.DataFrame, budget: float
) -> Iterator[dict[str, Any]]:
    """Yield per task the share of the flips among the scored pairs that each ranking finds within the budget."""
    pairs = blend.pairs
    given, ids = pairs.labels, pairs["id"]
    flipped = given != with_truth(pairs, truth).labels
    rank = dict(zip(suspects, range(len(suspects)), strict=True))
    wrong_by = {
        "audit": -np.array([rank[each] for each in ids]),
        "scores_alone": np.where(given == 1, 1 - blend.probability, blend.probability),
        "oracle": np.where(given == 1, 1 - oracle.probability, oracle.probability),
    }
    for task in ("all", *pairs.tasks):
        own = np.ones(len(pairs), dtype=np.bool_) if task == "all" else (pairs["task"] == task).to_numpy()
        listed = round(budget * int(own.sum()))
        shares = {
            name: float(flipped[own][np.argsort(-wrong[own], kind="stable")[:listed]].sum() / flipped[own].sum())
            for name, wrong in wrong_by.items()
        }
        counts = {"scored": int(own.sum()), "flipped": int(flipped[own].sum()), "listed": listed}
        yield {"task": task, **counts, **shares, "ratio_to_oracle": shares["audit"] / shares["oracle"]}


def edit(review: Path, truth: pl.DataFrame, edited: Path) -> None:
    """Fill in the actions as a person would who knows the truth."""
    rows = pl.read_csv(review, infer_schema=False).join(truth, on="id", how="left", maintain_order="left")
    wrong = pl.col("label").cast(pl.Int8) != pl.col("label_right")
    actions = pl.when(wrong).then(pl.lit("flip")).otherwise(pl.lit("keep"))
    rows.with_columns(action=actions).drop("label_right").write_csv(edited)


def quality(bundles: Mapping[str, Bundle], dev: Pairs) -> Iterator[dict[str, Any]]:
    """Yield F1 of each bundle per task, and the intervals of what corrections gain and of what is left to gain."""
    judged = {}
    for name, bundle in bundles.items():
        decided = bundle.score_clean(dev)
        judged[name] = Judged(name, dev, decided.probability, decided.decision)
    for task in dev.tasks:
        rows = (dev["task"] == task).to_numpy()
        measures = {name: Measures.of(each, rows) for name, each in judged.items()}
        yield (
            {"task": task, "pairs": int(rows.sum())}
            | {name: each.f1 for name, each in measures.items()}
            | {f"{name}_pr_auc": each.pr_auc for name, each in measures.items()}
        )
        for name in ("corrected", "clean"):
            low, high = f1_difference(judged[name], judged["noisy"], rows, repetitions=1000, seed=17)
            gained = measures[name].f1 - measures["noisy"].f1
            yield {"task": task, "difference": f"{name} - noisy", "gained": gained, "low": low, "high": high}


if __name__ == "__main__":
    main()
