"""The public Shopify pairs: quality on dev at thresholds that dev did not choose, and the time of every stage.

    python -m benchmarks.shopify_qc [--out runs/shopify-qc]

Prints one JSON line per group of dev rows: all but English, those on new branches and on branches that train shows,
the languages that train lacks, each language. Then the same as if the shop's tree held only the branches of train,
which is how withheld branches are met, and once more as `shopglot score` meets them: with the paths of the file too.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shopglot.config import load_recipe
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scorer
from shopglot.curate.prepare import prepare_for_scoring
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.merge.blend import Blend, Mean
from shopglot.merge.intervals import f1_interval
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import run
from shopglot.report.measure import Measures

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "recipes" / "shopify-qc.yaml"


def main() -> None:
    """Run the recipe, or take its finished run, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "shopify-qc")
    out = parser.parse_args().out
    recipe = load_recipe(RECIPE)
    start = time.perf_counter()
    report = run(recipe, out)
    print(json.dumps({"seconds": round(time.perf_counter() - start), "stages": report.facts["stages"]}))
    bundle = Bundle.load(out / "bundle")
    dev = prepare_for_scoring(recipe.data.dev, recipe.curate).pairs
    known = _training_paths(recipe.data.taxonomy[0])
    small = replace(bundle, scorer=_with_catalogue(bundle.scorer, tuple(sorted(known))))
    trees = {"whole": bundle, "branches of train": small, "and the file's own paths": small.knowing(dev["target"])}
    for tree, scorer in trees.items():
        decided = scorer.score_clean(dev)
        judged = Judged("dev", dev, decided.probability, decided.decision)
        for group, rows in _groups(dev, known):
            measures = Measures.of(judged, rows)
            low, high = f1_interval(judged, rows, repetitions=1000, seed=17)
            figures = {
                name: getattr(measures, name) for name in ("count", "roc_auc", "pr_auc", "f1", "mcc", "all_positive_f1")
            }
            rounded = {name: value if name == "count" else round(value, 4) for name, value in figures.items()}
            print(json.dumps({"tree": tree, "group": group, **rounded, "f1_interval": [round(low, 4), round(high, 4)]}))


def _with_catalogue(scorer: Scorer, paths: tuple[str, ...]) -> Any:
    """Return the scorer as if the shop's tree held these paths alone."""
    match scorer:
        case Blend():
            return Blend({name: _with_catalogue(each, paths) for name, each in scorer.scorers.items()}, scorer.weights)
        case Mean():
            return Mean([_with_catalogue(each, paths) for each in scorer.scorers])
        case EmbeddingScorer():
            return scorer.with_catalogue(paths)
        case _:
            return scorer


def _groups(dev: Pairs, known: frozenset[str]) -> Iterator[tuple[str, Mask]]:
    language = dev["language"]
    others = np.asarray(language != "en")
    seen = np.asarray(dev["target"].is_in(list(known)))
    unseen_language = np.asarray(language.is_in(["de", "it", "pl", "th"]))
    yield "not English", others
    yield "not English, new branches", others & ~seen
    yield "not English, seen branches", others & seen
    yield "languages that train lacks", unseen_language
    yield "languages that train lacks, new branches", unseen_language & ~seen
    for name in sorted(set(language.to_list())):
        yield name, np.asarray(language == name)


def _training_paths(english: Path) -> frozenset[str]:
    """Return the English paths of the nodes that have a name in Spanish: those are the branches that train shows."""
    nodes, spanish = _nodes(english, "path"), _nodes(english.with_name("es.tsv.gz"), "name")
    paths = nodes.join(spanish, on="node", how="semi")["path"].str.replace_all(" > ", ",", literal=True)
    return frozenset(paths.str.to_lowercase().to_list())


def _nodes(file: Path, column: str) -> pl.DataFrame:
    return pl.read_csv(file, has_header=False, separator="\t", quote_char=None, new_columns=["node", column])


if __name__ == "__main__":
    main()
