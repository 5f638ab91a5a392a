"""How often category suggestion finds the category that is meant: `python -m benchmarks.suggest_shopify [BUNDLE]`.

Input: the English tree of the public Shopify taxonomy, and relevant pairs of `dev_QC.txt` in other languages, drawn by
a seed, whose path is the node that is meant, or one below it. The bundle is that of recipes/shopify-qc.yaml. Prints
JSON lines: how often that path is among the candidates by letters alone and with vectors, and where the model ranks it,
by itself and with the categories above it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.core.category import CategoryPath
from shopglot.core.log_odds import logit
from shopglot.core.pairs import Pairs
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.pack.bundle import Bundle
from shopglot.serve.http.judge import Judge
from shopglot.serve.http.model import encoder_of
from shopglot.serve.http.question import Question
from shopglot.serve.http.suggest import Suggester, consistent, with_ancestors

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "shopify_qc"
QUERIES = 200
COUNT = 32


def main(folder: Path) -> None:
    """Print the figures of a bundle."""
    bundle, pairs = Bundle.load(folder), _relevant()
    paths = read_taxonomy([DATA / "taxonomy" / "en.tsv.gz"], bundle.curate)
    trees = {
        "letters": Suggester.of(paths, None),
        "letters and vectors": Suggester.of(paths, encoder_of(bundle)),
    }
    asked = list(zip(pairs["query"], pairs["language"], pairs["target"], strict=True))
    print(json.dumps({"benchmark": "suggest_shopify", "queries": len(asked), "nodes": len(trees["letters"].paths)}))
    for name, tree in trees.items():
        for count in (COUNT, 2 * COUNT):
            found = [set(tree.candidates([query], count)) for query, _, _ in asked]
            recall = np.mean([target in paths for paths, (_, _, target) in zip(found, asked, strict=True)])
            near = np.mean(
                [not paths.isdisjoint(_meant(target)) for paths, (*_, target) in zip(found, asked, strict=True)]
            )
            figures = {"recall": round(float(recall), 3), "or_its_parent": round(float(near), 3)}
            print(json.dumps({"candidates": name, "count": count, **figures}), flush=True)
    judge = Judge(bundle.knowing(paths), ("en",))
    ranks: dict[str, list[int]] = {"the category alone": [], "with those above": []}
    none_fits = 0
    for query, language, target in asked:
        candidates = trees["letters and vectors"].candidates([query], COUNT)
        nodes = with_ancestors(candidates)
        verdicts = dict(zip(nodes, judge([Question("QC", query, node, language) for node in nodes]), strict=True))
        alone = sorted(candidates, key=lambda node: -float(logit(np.array(verdicts[node].probability))))
        for how, order in zip(ranks, (alone, [each.path for each in consistent(candidates, verdicts)]), strict=True):
            ranks[how].append(order.index(target) if target in order else COUNT)
        none_fits += not any(verdicts[node].relevant for node in candidates)
    for how, places in ranks.items():
        at = {f"top_{top}": round(float(np.mean(np.array(places) < top)), 3) for top in (1, 5, 10)}
        print(json.dumps({"ranked_by": how, **at}))
    print(json.dumps({"none_fits": round(none_fits / len(asked), 3)}))


def _meant(target: str) -> set[str]:
    """Return the path and its parent, for a query names the category of its path, or the one above."""
    parent = CategoryPath.parse(target).parent
    return {target} if parent is None else {target, str(parent)}


def _relevant() -> Pairs:
    read = prepare([DATA / "dev_QC.txt"], CurateSettings(correct_language=False), max_bad_rows=0, labelled_only=True)
    relevant = read.pairs.filter((pl.col("label") == 1) & (pl.col("language") != "en"))
    return Pairs(relevant.frame.sample(QUERIES, seed=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "runs" / "shopify-qc" / "bundle")
