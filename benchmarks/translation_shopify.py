"""What a small translator is worth on real category names: `python -m benchmarks.translation_shopify`.

Samples public Shopify pairs from `../shared/data` by query, and prints nothing where they are absent. The few-shot
Gemma-3 270M translates the queries; the taxonomy's own names are the answers, so they are never used as translations.
The same frozen encoder with small heads learns to read the query as typed, its translation or both. Prints one JSON
line per language with the share of the relevant pairs of dev whose translation is the English name of the category word
for word, and one per reading and group of languages, with the difference of F1 to the original and its 95 % interval
over queries.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.enrich_table import tell, translated_as
from shopglot.config import Recipe
from shopglot.core.category import levels
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.pipeline import Data, deal_folds, enriched, gather, learn, merge
from shopglot.report.measure import Measures, difference, values_of
from shopglot.report.settings import ReportSettings

FILES: Final = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc"
UNSEEN: Final = ("de", "it", "pl", "th")
SEED: Final = 17
READ: Final = {"original": ("original",), "english": ("english",), "both": ("original", "english")}


def main() -> None:
    """Translate a sample, train every reading on it, and print what each reaches on dev."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=120, help="Queries of each language of train, English among them.")
    parser.add_argument("--dev", type=int, default=100, help="Queries of each language of dev but English.")
    arguments = parser.parse_args()
    if not FILES.is_dir():
        return
    with TemporaryDirectory() as folder:
        work = Path(folder)
        data = gather(recipe_of("original"), work)
        foreign = data.dev.filter(pl.col("language") != "en")
        sample = replace(data, train=sampled(data.train, arguments.train), dev=sampled(foreign, arguments.dev))
        start = time.perf_counter()
        translated = enriched(recipe_of("both", translate={"translator": {"kind": "few-shot"}}), sample)
        sizes = {"train_pairs": len(sample.train), "dev_pairs": len(sample.dev)}
        tell_all("translated", **sizes, seconds=time.perf_counter() - start, **translated.facts["enrich"])
        tell_translations(translated.dev)
        judged = {name: judged_by(name, translated, work / name) for name in READ}
    for name, dev in judged.items():
        tell_quality(name, dev, judged["original"])


def recipe_of(read: str, **enrich: Any) -> Recipe:
    """Return the recipe of recipes/shopify-qc.yaml with one learner, and a larger tune part for so few pairs."""
    learner = {"learner": "embedding", "name": "use", "tasks": ["QC"], "queries": READ[read]}
    return Recipe.model_validate(
        {
            "name": "translation",
            "seed": SEED,
            "data": {
                "train": [FILES / "train_QC.txt"],
                "dev": [FILES / "dev_QC.txt"],
                "taxonomy": [FILES / "taxonomy" / "en.tsv.gz"],
            },
            "curate": {"correct_language": False},
            "enrich": enrich,
            "fold": {"qc": "category", "tune": 0.3, "test": 0.0},
            "learn": [learner],
        }
    )


def sampled(pairs: Pairs, queries: int) -> Pairs:
    """Return all pairs of so many queries of each language, drawn at random."""
    drawn = pairs.frame.select("language", "query").unique().sort(pl.all()).sample(fraction=1, shuffle=True, seed=SEED)
    kept = drawn.group_by("language", maintain_order=True).head(queries)
    return Pairs(pairs.frame.join(kept, on=["language", "query"], how="semi", maintain_order="left"))


def judged_by(read: str, data: Data, work: Path) -> Judged:
    """Return how the model of one reading judges dev."""
    recipe = recipe_of(read)
    own = translated_as(data, "none") if read == "original" else data
    folds = deal_folds(recipe, own.train, work)
    _, evidence = merge(recipe, own, folds, learn(recipe, own, folds, work), work)
    return evidence.judged[-1]


def tell_translations(dev: Pairs) -> None:
    """Print how often the translator finds the name of the category."""
    leaf = levels(pl.col("target")).list.last()
    relevant = dev.frame.filter(pl.col("label") == 1)
    found = relevant.group_by("language").agg(
        pl.len().alias("relevant"),
        (pl.col("english").str.to_lowercase() == leaf).mean().alias("word_for_word"),
    )
    for row in found.sort("language").rows(named=True):
        tell_all("translations", **row)


def tell_quality(read: str, dev: Judged, original: Judged) -> None:
    """Print the figures of one reading in all languages, in those that train has or lacks, and in each."""
    languages = values_of(dev.pairs["language"])
    unseen = np.logical_or.reduce([languages[code] for code in UNSEEN])
    for group, rows in {"all": unseen | ~unseen, "seen": ~unseen, "unseen": unseen, **languages}.items():
        found, gained = Measures.of(dev, rows), difference(dev, original, rows, ReportSettings(), seed=0)
        shown = {name: getattr(found, name) for name in ("count", "f1", "pr_auc", "roc_auc", "all_positive_f1")}
        low, high = gained.interval
        tell_all("dev", read=read, group=group, **shown, gain=gained.f1, low=low, high=high)


def tell_all(what: str, **figures: Any) -> None:
    """Print one line of this benchmark."""
    tell(what, "translation_shopify", **figures)


if __name__ == "__main__":
    main()
