"""All learners beside each other on the public Shopify pairs: `python -m benchmarks.llm_table [minutes] [pairs]`.

The same sample for all: lexical, frozen sentence vectors, a cross-encoder, and Gemma-3 270M with LoRA on the
attention and on all linear layers. Each learns once from as many pairs, and once for as many minutes of a processor,
at the speed which the first time has shown (more than one pass over a sample counts its pairs again). Judged on dev
pairs that are not English, seen and unseen languages apart, at the threshold chosen on a tune part of the training
file; two seeds. Prints one JSON line per learner, seed, regime and group of languages.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.core.folds import Mask
from shopglot.core.metrics import Confusion, average_precision, roc_auc
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.llm_settings import LLMSettings, LoraSettings, StageSettings
from shopglot.learn.load import make_learner
from shopglot.learn.settings import EmbeddingSettings, EncoderSettings, LearnerSettings, LexicalSettings
from shopglot.merge.threshold import steady_threshold

DATA = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc"
TEMPLATE = Template(FormatSettings(path="leaf-first"), CLEANING_VERSION)
SEEDS = (0, 1)
BATCH = 16
UNSEEN = ("de", "it", "pl", "th")
TUNE, DEV = 300, 800


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """The parts of the data that all learners get."""

    train: Pairs
    tune: Pairs
    dev: Pairs


def main(minutes: float, pairs: int) -> None:
    """Train and judge every learner twice per seed."""
    for seed in SEEDS:
        sample = sample_of(seed)
        for name in ("lexical", "embedding", "encoder", "gemma attention", "gemma all-linear"):
            seconds = _judged(name, sample, seed, pairs, "equal pairs")
            _judged(name, sample, seed, int(pairs * 60 * minutes / seconds), "equal minutes")


def settings_of(name: str, pairs: int, seed: int) -> LearnerSettings:
    """Return the learner that sees so many pairs."""
    steps = max(1, pairs // BATCH)
    match name:
        case "lexical":
            return LexicalSettings(tasks=("QC",))
        case "embedding":
            return EmbeddingSettings(tasks=("QC",), seed=seed)
        case "encoder":
            return EncoderSettings(tasks=("QC",), steps=steps, batch_size=BATCH // 4, learning_rate=1e-4, seed=seed)
        case _:
            return LLMSettings(
                tasks=("QC",),
                model="embedded:gemma-3-270m",
                max_tokens=64,
                lora=LoraSettings(targets="attention" if name == "gemma attention" else "all-linear"),
                stages=(StageSettings(steps=steps, batch_size=BATCH // 4, accumulation=4, learning_rate=3e-4),),
                seed=seed,
            )


def _judged(name: str, sample: Sample, seed: int, pairs: int, regime: str) -> float:
    """Train on so many pairs, print the figures and return the seconds of training."""
    train = Pairs(sample.train.frame.head(pairs))
    with tempfile.TemporaryDirectory() as work:
        start = time.process_time()  # other work on the machine does not count
        scorer = make_learner(settings_of(name, pairs, seed), TEMPLATE).fit(train, Path(work))
        seconds = time.process_time() - start
    threshold = steady_threshold(sample.tune.labels, scorer.score(sample.tune))
    scores = scorer.score(sample.dev)
    facts = {"learner": name, "seed": seed, "regime": regime, "pairs": pairs, "minutes": round(seconds / 60, 2)}
    for group, rows in groups_of(sample.dev):
        figures = figures_of(sample.dev.filter(rows), scores[rows], threshold)
        print(json.dumps({"benchmark": "llm_table", **facts, "languages": group, **figures}), flush=True)
    return seconds


def figures_of(dev: Pairs, scores: Scores, threshold: float) -> dict[str, float]:
    """Return what the scores are worth, decided at a threshold."""
    table = Confusion.of(dev.labels, scores >= threshold)
    figures = {
        "f1": table.f1,
        "mcc": table.mcc,
        "pr_auc": average_precision(dev.labels, scores),
        "roc_auc": roc_auc(dev.labels, scores),
        "positives": float(dev.labels.mean()),
    }
    return {"count": len(dev), **{name: round(value, 4) for name, value in figures.items()}}


def groups_of(dev: Pairs) -> Iterator[tuple[str, Mask]]:
    """Yield each group of languages with its rows."""
    unseen = dev["language"].is_in(UNSEEN).to_numpy()
    yield "all", np.ones(len(dev), dtype=np.bool_)
    yield "seen", ~unseen
    yield "unseen", unseen


def sample_of(seed: int) -> Sample:
    """Return the pairs that a seed draws; the dev pairs are the same for all seeds."""
    settings = CurateSettings(correct_language=False)
    train, dev = (
        prepare([DATA / name], settings, max_bad_rows=0, labelled_only=True).pairs.frame
        for name in ("train_QC.txt", "dev_QC.txt")
    )
    # No subtree of the tune part is learned from, as in a run.
    top = pl.col("target").str.split(",").list.head(2).list.join(",")
    subtrees = train.select(top.alias("top")).unique().sort("top").sample(fraction=0.15, seed=seed)["top"].implode()
    tune = train.filter(top.is_in(subtrees)).sample(TUNE, seed=seed, shuffle=True)
    learned = train.filter(~top.is_in(subtrees)).sample(fraction=1.0, seed=seed, shuffle=True)
    judged = dev.filter(pl.col("language") != "en").sample(DEV, seed=0, shuffle=True)
    return Sample(Pairs(learned), Pairs(tune), Pairs(judged))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [seed, learner, pairs]:
            _judged(learner, sample_of(int(seed)), int(seed), int(pairs), "equal minutes")
        case [minutes, pairs]:
            main(float(minutes), int(pairs))
        case _:
            main(4, 1280)
