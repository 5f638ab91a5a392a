"""Weak labels beside the real pairs: the same learner on as many rows of both, judged on the same dev file.

    python -m benchmarks.bootstrap_shopify [--rows 8000]

Reads `taxonomy` and `train_QC.txt` of the public Shopify pairs in `../shared/data`, and prints nothing where they are
absent. Names of the branches that only dev shows make no pairs; their English paths are known to the learner as the
shop's tree, as in recipes/shopify-qc.yaml. Prints one JSON line per source of pairs and group of dev rows: the real
pairs, the weak ones, and weak ones whose negatives are all easy. The threshold is chosen on a fifth of the branches of
each source, which its model does not see. Another line says how many made pairs the real labels contradict.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import best_f1_threshold
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import CLEANING_VERSION, clean
from shopglot.curate.read import read_pairs
from shopglot.curate.settings import CurateSettings
from shopglot.curate.taxonomy import read_taxonomy
from shopglot.enrich.bootstrap import bootstrap
from shopglot.enrich.bootstrap_settings import BootstrapSettings
from shopglot.enrich.localised_paths import find_localised, read_localised
from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.embedding import EmbeddingLearner
from shopglot.learn.settings import EmbeddingSettings
from shopglot.merge.intervals import f1_interval
from shopglot.report.measure import Measures

DATA: Final = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc"
CURATE: Final = CurateSettings(correct_language=False)
SEED: Final = 17


def main() -> None:
    """Make weak labels, learn from them and from the real ones, and print what both reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8000, help="Rows of each source.")
    rows = parser.parse_args().rows
    if not DATA.is_dir():
        return
    files = find_localised(DATA / "taxonomy")
    names = read_localised(files)
    names = names.filter(pl.col("node").is_in(names.filter(language="es")["node"].implode()))  # the branches of train
    real, dev = (clean(read_pairs([DATA / name], CURATE).pairs, CURATE) for name in ("train_QC.txt", "dev_QC.txt"))
    start = time.perf_counter()
    weak = weakly_labelled(names, NegativeSettings())
    tell("made", pairs=len(weak), seconds=time.perf_counter() - start, **contradicted(weak, Pairs.concat([real, dev])))
    easy = weakly_labelled(names, NegativeSettings(shares={"random": 1.0}))
    tree = read_taxonomy([files["en"]], CURATE)
    for source, pairs in {"train_QC.txt": real, "weak": weak, "weak, easy negatives": easy}.items():
        start = time.perf_counter()
        judged = learned(pairs, rows, tree, dev)
        for group, mask in groups(dev):
            figures = Measures.of(judged, mask)
            shown = {name: getattr(figures, name) for name in ("count", "roc_auc", "pr_auc", "f1", "all_positive_f1")}
            interval = f1_interval(judged, mask, repetitions=1000, seed=SEED)
            tell(source, group=group, rows=rows, **shown, low=interval[0], high=interval[1])
        tell(source, seconds=time.perf_counter() - start)


def weakly_labelled(names: pl.DataFrame, negatives: NegativeSettings) -> Pairs:
    """Return clean pairs of all branches of train."""
    made = bootstrap(names, None, BootstrapSettings(seed=SEED, dev=0, negatives=negatives))
    return clean(made.train, CURATE)


def contradicted(made: Pairs, judged: Pairs) -> dict[str, float]:
    """Return how many pairs both tables label, and the share of each made label that the judged one contradicts."""
    key = ["language", "query", "target"]
    both = made.frame.join(judged.frame.select(*key, real="label"), on=key)
    shares = {
        f"contradicted_{label}": both.filter(label=label).select((pl.col("real") != label).mean()).item()
        for label in (0, 1)
    }
    return {"in_both": both.height, **shares}


def learned(pairs: Pairs, rows: int, tree: tuple[str, ...], dev: Pairs) -> Judged:
    """Return dev as judged by a learner of `rows` pairs, at the threshold that is best on branches it did not see."""
    rng = np.random.default_rng(SEED)
    branch = pairs.frame.select(levels(pl.col("target")).list.head(2).list.join(",")).to_series()
    names = branch.unique().sort()
    held_out = np.asarray(branch.is_in(names.filter(pl.Series(rng.random(len(names)) < 0.2)).implode()))
    chosen = rng.permutation(np.flatnonzero(~held_out))[:rows]
    tuned = rng.permutation(np.flatnonzero(held_out))[: rows // 4]
    settings = EmbeddingSettings(tasks=("QC",))
    learner = EmbeddingLearner(settings, Template(FormatSettings(), CLEANING_VERSION), tree)
    with TemporaryDirectory() as work:
        scorer = learner.fit(Pairs(pairs.frame[chosen]), Path(work))
    tune = Pairs(pairs.frame[tuned])
    threshold = best_f1_threshold(tune.labels, scorer.score(tune))
    scores = scorer.score(dev)
    return Judged("dev", dev, scores, scores >= threshold)


def groups(dev: Pairs) -> Iterator[tuple[str, Mask]]:
    """Yield the rows that are reported on: not English, and the languages that train lacks."""
    language = dev["language"]
    yield "not English", np.asarray(language != "en")
    yield "de it pl th", np.asarray(language.is_in(["de", "it", "pl", "th"]))


def tell(what: str, **figures: float | str) -> None:
    """Print one line of figures, rounded to four digits."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"benchmark": "bootstrap_shopify", "what": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
