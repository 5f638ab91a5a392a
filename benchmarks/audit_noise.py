"""How many flipped labels `shopglot audit` finds, and what it is worth to correct them.

    python -m benchmarks.audit_noise [--pairs 20000] [--noise 0.08] [--seeds 7 8 9] [--qc query] [--out FOLDER]

For each seed a marketplace is simulated with flipped labels, and two quick learners are cross-validated on it. At a
review budget of as many rows as labels are flipped, one JSON line per task says which share of the flips among the
scored pairs is in the list: of the audit, of the models' scores without the votes of related rows, and of an oracle.
The oracle ranks by the probability of the given label that the same learners give in the same folds when they are
fitted on the labels without noise: the best that scores can do.

Then the truth edits the review file as a person would, `flip` where a listed label is wrong and `keep` where it is
right, and `run` takes it back. F1 is that of the shipped blends on the dev pairs of all seeds against their labels
without noise, beside that of the oracle's learners, who met no noise at all.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
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
from shopglot.merge.intervals import f1_difference
from shopglot.pack.bundle import Bundle, load
from shopglot.pack.record import SCORES
from shopglot.pipeline import Data, gather, learn, merge, run
from shopglot.report.measure import Measures

ROOT: Final = Path(__file__).parents[1]
LEARNERS: Final = [
    {"learner": "lexical"},
    {"learner": "embedding", "name": "use", "queries": ["original", "english"], "windows": [4]},
]
LANGUAGES: Final = ("en", "es", "fr", "pt", "ja", "ko", "th", "ar", "de", "id", "it", "pl", "vi")


def main() -> None:
    """Run, audit, correct and run again, for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--noise", type=float, default=0.08)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--qc", choices=("query", "both"), default="query", help="what the folds keep apart in QC")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "audit-noise")
    given = parser.parse_args()
    start, judged = time.process_time(), []
    for seed in given.seeds:
        simulated = {"pairs": given.pairs, "seed": seed, "label_noise": given.noise}
        judged.append(audited_and_corrected(given.qc, simulated, given.noise, given.out / str(seed)))
    for figures in quality([pooled([each[number] for each in judged]) for number in range(3)]):
        show(what="f1", **figures)
    show(what="time", cpu_seconds=round(time.process_time() - start))


def audited_and_corrected(qc: str, simulated: Mapping[str, Any], budget: float, out: Path) -> list[Judged]:
    """Print what the audit finds, and return how dev is judged with noise, after the corrections and without noise."""
    noisy, review = out / "noisy", out / "review.csv"
    recipe = recipe_of(qc, simulate=simulated)
    run(recipe, noisy)
    truth, data = read_truth(noisy / "data"), gather(recipe, noisy)
    audited = audit_run(noisy, review, budget=budget)
    if (known := audited.known) is not None:
        shares = {"precision": known.precision, "recall": known.recall, "of_all_flips": known.found / known.everywhere}
        show(what="list", seed=simulated["seed"], listed=known.listed, **shares)
    oracle, clean = without_noise(recipe, data, truth, noisy, out / "clean")
    blend = cross_fitted(data.train, OutOfFold(pl.read_parquet(noisy / SCORES)), recipe.merge)
    for figures in found(blend, oracle, audited.labels.suspects["id"], truth, budget):
        show(what="found", seed=simulated["seed"], **figures)
    edit(review, truth, out / "edited.csv")
    run(recipe_of(qc, simulate=simulated, corrections=[out / "edited.csv"]), out / "corrected")
    bundles = {"noisy": load(noisy / "bundle"), "corrected": load(out / "corrected" / "bundle"), "clean": clean}
    dev = of_seed(with_truth(data.dev.labelled, truth), simulated["seed"])
    return [judged_by(name, bundle, dev) for name, bundle in bundles.items()]


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
    given, flipped = pairs.labels, pairs.labels != with_truth(pairs, truth).labels
    rank = {name: place for place, name in enumerate(suspects)}
    right_by = {
        "audit": np.array([rank[name] for name in pairs["id"]]),
        "scores_alone": np.where(given == 1, blend.probability, 1 - blend.probability),
        "oracle": np.where(given == 1, oracle.probability, 1 - oracle.probability),
    }
    for task in ("all", *pairs.tasks):
        own = np.ones(len(pairs), dtype=np.bool_) if task == "all" else (pairs["task"] == task).to_numpy()
        listed, flips = round(budget * int(own.sum())), int(flipped[own].sum())
        shares = {
            name: float(flipped[own][np.argsort(right[own], kind="stable")[:listed]].sum() / flips)
            for name, right in right_by.items()
        }
        ratio = shares["audit"] / shares["oracle"]
        yield {"task": task, "listed": listed, "flipped": flips, **shares, "ratio_to_oracle": ratio}


def edit(review: Path, truth: pl.DataFrame, edited: Path) -> None:
    """Fill in the actions as a person would who knows the truth."""
    rows = pl.read_csv(review, infer_schema=False).join(truth, on="id", how="left", maintain_order="left")
    wrong = pl.col("label").cast(pl.Int8) != pl.col("label_right")
    actions = pl.when(wrong).then(pl.lit("flip")).otherwise(pl.lit("keep"))
    rows.with_columns(action=actions).drop("label_right").write_csv(edited)


def of_seed(pairs: Pairs, seed: int) -> Pairs:
    """Return the pairs with ids and queries of their own, so that those of several seeds are no relatives."""
    marked = {name: pl.format("{} {}", pl.lit(seed), name) for name in ("id", "query")}
    return Pairs(pairs.frame.with_columns(**marked))


def judged_by(name: str, bundle: Bundle, pairs: Pairs) -> Judged:
    """Return how a bundle judges pairs whose queries bear the mark of a seed."""
    bare = pairs.frame.with_columns(pl.col("query").str.replace(r"^\d+ ", ""))
    decided = bundle.score_clean(Pairs(bare))
    return Judged(name, pairs, decided.probability, decided.decision)


def pooled(parts: Sequence[Judged]) -> Judged:
    """Return the judgements of all seeds together."""
    return Judged(
        parts[0].name,
        Pairs.concat(part.pairs for part in parts),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.decision for part in parts]),
    )


def quality(judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """Yield F1 and PR-AUC of each per task, and the intervals of what the others gain over the first."""
    for task in judged[0].pairs.tasks:
        rows = (judged[0].pairs["task"] == task).to_numpy()
        measures = {each.name: Measures.of(each, rows) for each in judged}
        f1 = {name: each.f1 for name, each in measures.items()}
        yield {"task": task, "pairs": int(rows.sum()), **f1, **{f"{n}_pr_auc": m.pr_auc for n, m in measures.items()}}
        for other in judged[1:]:
            low, high = f1_difference(other, judged[0], rows, repetitions=1000, seed=17)
            gained = f1[other.name] - f1[judged[0].name]
            yield {"task": task, "of": f"{other.name} - {judged[0].name}", "gained": gained, "low": low, "high": high}


if __name__ == "__main__":
    main()
