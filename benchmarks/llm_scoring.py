"""How fast Gemma-3 270M scores, beside the plain way: `python -m benchmarks.llm_scoring [pairs] [folder]`.

The plain way is transformers alone: float32, each row tokenized as one text, batches of a fixed size in the order of
the rows, padded to the longest of the batch; the best of three sizes counts. Ours is `LLMScorer.score`: bfloat16, each
distinct text tokenized once, batches of like length under a token budget, and what a query's pairs have in common
computed once. Both read the same weights: LoRA on 1,280 public Shopify pairs, merged; `folder` names a merged model
that is there already. Paths are cut to their last three levels.

Three inputs of dev pairs that are not English: each query with 20 paths, its own labelled ones and either their nearest
neighbours in the taxonomy, which is what a retriever hands on, or random others; and distinct pairs (labelled, each
query once, half as many rows), where nothing can be shared. Decisions are taken at one threshold, chosen on 200
training pairs that were not trained on. Prints one JSON line for each input.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shopglot.core.category import CategoryPath, levels
from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Confusion
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_scorer import LLMScorer, merge_adapters
from shopglot.learn.llm_settings import LLMSettings, LoraSettings, StageSettings
from shopglot.learn.prefix_tree import trees
from shopglot.learn.torch_runs import logits
from shopglot.merge.threshold import steady_threshold

DATA = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc"
STEPS, BATCH, TUNE = 80, 16, 200
CANDIDATES = 20
PLAIN_BATCHES = (8, 32, 128)


@dataclass(frozen=True, eq=False, slots=True)
class Way:
    """What one way of scoring said of the pairs, and how many it scored in a second."""

    scores: Scores
    rate: float


def main(pairs: int, folder: Path | None) -> None:
    """Score both inputs both ways and print how they compare."""
    train = _read("train_QC.txt").sample(STEPS * BATCH + TUNE, seed=0, shuffle=True)
    dev = _read("dev_QC.txt").filter(pl.col("language") != "en")
    with tempfile.TemporaryDirectory() as work:
        merged = folder or _trained(Pairs(train.head(STEPS * BATCH)), Path(work))
        scorer = LLMScorer.load(merged)
        tune = Pairs(train.tail(TUNE))
        threshold = steady_threshold(tune.labels, scorer.score(tune))
        for name, sample in _inputs(dev, pairs):
            print(json.dumps(_compared(name, sample, scorer, merged, threshold)), flush=True)


def _compared(name: str, sample: Pairs, scorer: LLMScorer, folder: Path, threshold: float) -> dict[str, Any]:
    ours = _timed(sample, lambda: scorer.score(sample))
    apart = _timed(sample, lambda: _scores_apart(scorer, sample))
    texts = ["".join(row) + scorer.settings.prompt.answer for row in scorer.reader.texts(sample).iter_rows()]
    plain = {size: _timed(sample, plain_scorer(folder, texts, size)) for size in PLAIN_BATCHES}
    best = max(plain.values(), key=lambda way: way.rate)
    difference = np.abs(ours.scores - best.scores)
    flips = (ours.scores >= threshold) != (best.scores >= threshold)
    return {
        "benchmark": "llm_scoring",
        "input": name,
        "pairs": len(sample),
        "queries": sample["query"].n_unique(),
        **_tokens(scorer, sample, texts),
        "ours_pairs_per_second": round(ours.rate, 1),
        "ours_without_sharing": round(apart.rate, 1),
        "plain_pairs_per_second": {size: round(way.rate, 1) for size, way in plain.items()},
        "ratio": round(ours.rate / best.rate, 2),
        "flips": int(flips.sum()),
        "largest_difference": round(float(difference.max()), 4),
        "mean_difference": round(float(difference.mean()), 5),
        **_quality(sample, threshold, {"ours": ours.scores, "plain": best.scores}),
    }


def plain_scorer(folder: Path, texts: list[str], size: int) -> Callable[[], Scores]:
    """Return what scores `texts` in batches of one size as transformers does; the model is loaded and warm."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()

    def score(texts: list[str] = texts) -> Scores:
        said: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(texts), size):
                rows = [tokenizer(text) for text in texts[start : start + size]]
                said += model(**tokenizer.pad(rows, return_tensors="pt")).logits[:, 0].tolist()
        return sigmoid(np.array(said))

    score(texts[:size])
    return score


def _scores_apart(scorer: LLMScorer, sample: Pairs) -> Scores:
    """Return our scores where every row computes its query's tokens anew."""
    encoded = scorer.reader.encode(scorer.reader.texts(sample))
    return sigmoid(logits(scorer.model, scorer.reader.tokenizer, encoded, autocast=False)[:, 0])


def _timed(sample: Pairs, score: Callable[[], Scores]) -> Way:
    start = time.perf_counter()
    scores = score()
    return Way(scores, len(sample) / (time.perf_counter() - start))


def _tokens(scorer: LLMScorer, sample: Pairs, texts: list[str]) -> dict[str, float]:
    """Return the tokens of a row, how many of them are computed, and the share of rows that read alike in both ways."""
    ids = scorer.reader.encode(scorer.reader.texts(sample))["input_ids"]
    whole = [scorer.reader.tokenizer(text)["input_ids"] for text in texts]
    return {
        "tokens_per_pair": round(float(np.mean([len(each) for each in ids])), 1),
        "tokens_computed": round(sum(len(tree.ids) for tree in trees(ids)) / len(ids), 1),
        "same_token_ids": round(float(np.mean([own == other for own, other in zip(ids, whole, strict=True)])), 4),
    }


def _quality(sample: Pairs, threshold: float, scores: dict[str, Scores]) -> dict[str, float]:
    """Return the F1 of each way, where the pairs have labels."""
    if sample["label"].null_count():
        return {}
    return {f"{way}_f1": round(Confusion.of(sample.labels, said >= threshold).f1, 4) for way, said in scores.items()}


def _inputs(dev: pl.DataFrame, pairs: int) -> Iterator[tuple[str, Pairs]]:
    once = dev.unique("query", keep="first", maintain_order=True).sample(pairs // 2, seed=0, shuffle=True)
    queries = once.head(pairs // CANDIDATES)["query"]
    paths = dev["target"].unique().sort().sample(fraction=1.0, seed=0, shuffle=True)
    for name, near in (("near candidates", True), ("random candidates", False)):
        yield name, Pairs(pl.concat([_candidates(dev, query, paths, near=near) for query in queries]))
    yield "distinct", Pairs(once)


def _candidates(dev: pl.DataFrame, query: str, paths: pl.Series, *, near: bool) -> pl.DataFrame:
    """Return a query with its own targets and others of `paths`: its first target's neighbours, or any."""
    own = dev.filter(pl.col("query") == query).unique("target", maintain_order=True).head(CANDIDATES)
    shelves = list(CategoryPath.parse(own["target"][0]).ancestors())
    others = [path for path in paths.to_list() if path not in set(own["target"])]
    if near:
        others.sort(key=lambda path: -sum(CategoryPath.parse(path).is_within(shelf) for shelf in shelves))
    else:
        np.random.default_rng(len(query)).shuffle(others)
    rows = pl.DataFrame({"target": others[: CANDIDATES - own.height]})
    more = own.head(1).drop("target").join(rows, how="cross").select(own.columns)
    both = pl.concat([own, more.with_columns(label=pl.lit(None, dtype=own.schema["label"]))])
    return both.with_columns(id=pl.format("{}-{}", pl.lit(query), pl.int_range(pl.len())))


def _trained(train: Pairs, work: Path) -> Path:
    """Return the folder of a model that was trained for a few minutes, its adapters merged."""
    settings = LLMSettings(
        model="embedded:gemma-3-270m",
        tasks=("QC",),
        max_tokens=96,
        lora=LoraSettings(dropout=0.0),
        stages=(StageSettings(steps=STEPS, batch_size=BATCH // 4, accumulation=4, learning_rate=3e-4),),
    )
    LLMLearner(settings, Template(FormatSettings(), CLEANING_VERSION)).fit(train, work)
    merge_adapters(work / "stage-0", work / "merged")
    return work / "merged"


def _read(name: str) -> pl.DataFrame:
    pairs = prepare([DATA / name], CurateSettings(correct_language=False), max_bad_rows=0, labelled_only=True).pairs
    return pairs.frame.with_columns(target=levels(pl.col("target")).list.tail(3).list.join(","))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 480, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
