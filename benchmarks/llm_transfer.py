"""What levels in training are worth, and what one task teaches of the other: `python -m benchmarks.llm_transfer`.

`hierarchy` trains each learner of recipes/hierarchy.yaml on the public Shopify pairs of `benchmarks.llm_table` and
judges it on dev pairs that are not English. For some of them it also asks how the query goes with the parent of the
path: `above_parent` is the share whose parent is less probable, `excess_parent` by how much on average. `above_level`
and `excess_level` say the same of a model's own outputs per level, each against the level above it.

`transfer` trains each learner of recipes/transfer.yaml on its simulated pairs and judges it on both tasks, on simulated
dev pairs that are not English; the threshold of a task is chosen on its own tune pairs. All are of simulated pairs.

One learner and seed alone: `python -m benchmarks.llm_transfer hierarchy flat 0`. Prints one JSON line per learner, seed
and group of languages or task.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.llm_table import Sample, figures_of, groups_of, sample_of
from shopglot.config import Recipe, load_recipe
from shopglot.core.category import levels
from shopglot.core.folds import TUNE
from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pair import TASKS
from shopglot.core.pairs import Pairs
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings
from shopglot.merge.threshold import steady_threshold
from shopglot.pipeline import deal_folds, gather, template

RECIPES = Path(__file__).parents[1] / "recipes"
SEEDS = {"hierarchy": (0, 1), "transfer": (0,)}
TUNE_PAIRS, DEV_PAIRS = {"hierarchy": 120, "transfer": 100}, {"hierarchy": 450, "transfer": 200}
WITH_PARENTS = 150


def main(part: str, names: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """Train and judge the learners of a recipe, or those of them that are named."""
    recipe = load_recipe(RECIPES / f"{part}.yaml")
    for seed in seeds:
        sample = _simulated(recipe, seed) if part == "transfer" else _public(seed)
        for settings in recipe.learn:
            if isinstance(settings, LLMSettings) and settings.name in (names or (settings.name,)):
                seeded = settings.model_copy(update={"seed": seed})
                for facts in _judged(part, recipe, seeded, sample):
                    print(json.dumps({"benchmark": "llm_transfer", "part": part, "seed": seed, **facts}), flush=True)


def _judged(part: str, recipe: Recipe, settings: LLMSettings, sample: Sample) -> Iterator[dict[str, Any]]:
    """Train one learner and yield its figures."""
    with tempfile.TemporaryDirectory() as work:
        start = time.process_time()  # other work on the machine does not count
        scorer = LLMLearner(settings, template(recipe)).fit(sample.train, Path(work))
        minutes = (time.process_time() - start) / 60
    facts = {"learner": settings.name, "minutes": round(minutes, 1)}
    tune, said = scorer.score(sample.tune), sigmoid(scorer.logits(scorer.reader.texts(sample.dev)))
    for task in sample.dev.tasks:
        tuned, judged = ((pairs["task"] == task).to_numpy() for pairs in (sample.tune, sample.dev))
        threshold = steady_threshold(sample.tune.labels[tuned], tune[tuned])
        dev, scores = sample.dev.filter(judged), said[judged, 0]
        groups = list(groups_of(dev))
        for group, rows in groups if part == "hierarchy" else groups[:1]:
            figures = figures_of(dev.filter(rows), scores[rows], threshold)
            yield {**facts, "task": task, "languages": group, **figures}
    if part == "hierarchy":
        yield {**facts, **_contradictions(scorer, sample.dev, said)}


def _contradictions(scorer: LLMScorer, dev: Pairs, said: Floats) -> dict[str, float]:
    """Return how often and by how much a child is more probable than its parent; `said` has the answer first."""
    path = levels(pl.col("target"))
    some = np.flatnonzero(dev.frame.select(path.list.len() > 1).to_series().to_numpy())[:WITH_PARENTS]
    above = path.list.head(path.list.len() - 1).list.join(",")
    parents = scorer.score(Pairs(dev.frame[some].with_columns(target=above)))
    found = _excess("parent", said[some, 0], parents)
    if scorer.settings.hierarchy is None:
        return found
    depth = dev.frame.select(path.list.len()).to_series().to_numpy()
    own = said[:, 1:].copy()
    own[depth[:, None] <= np.arange(own.shape[1])] = np.nan  # levels that a path does not have
    child = np.hstack([np.repeat(said[:, :1], own.shape[1], axis=1), own[:, 1:]])
    return found | _excess("level", child, np.hstack([own, own[:, :-1]]))


def _excess(name: str, child: Floats, parent: Floats) -> dict[str, float]:
    apart = (child - parent)[~np.isnan(child - parent)]
    return {
        f"count_{name}": len(apart),
        f"above_{name}": round(float((apart > 0).mean()), 4),
        f"excess_{name}": round(float(np.maximum(apart, 0).mean()), 4),
    }


def _public(seed: int) -> Sample:
    sample = sample_of(seed)
    tune, dev = sample.tune.frame.head(TUNE_PAIRS["hierarchy"]), sample.dev.frame.head(DEV_PAIRS["hierarchy"])
    return Sample(sample.train, Pairs(tune), Pairs(dev))


def _simulated(recipe: Recipe, seed: int) -> Sample:
    """Return the recipe's simulated pairs: those to learn from, and as many of each task to tune and to judge on."""
    with tempfile.TemporaryDirectory() as folder:
        data = gather(recipe, Path(folder))
        folds = deal_folds(recipe, data.train, Path(folder))
    learned = data.train.filter(folds.trains(data.train, None))
    tune, dev = data.train.filter(folds.judges(data.train, TUNE)), data.dev.labelled
    return Sample(
        learned, _of_each_task(tune, TUNE_PAIRS["transfer"], seed), _of_each_task(dev, DEV_PAIRS["transfer"], seed=0)
    )


def _of_each_task(pairs: Pairs, count: int, seed: int) -> Pairs:
    foreign = [pairs.of_task(task).frame.filter(pl.col("language") != "en") for task in TASKS]
    return Pairs(pl.concat([rows.sample(min(count, rows.height), seed=seed, shuffle=True) for rows in foreign]))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [part, name, seed]:
            main(part, (name,), (int(seed),))
        case _:
            for part, seeds in SEEDS.items():
                main(part, (), seeds)
