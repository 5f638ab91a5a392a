"""How fast and how evenly pairs are dealt into folds, beside scikit-learn's StratifiedGroupKFold.

Prints one JSON line: the seconds of both, how many times as fast ours is, and for both the largest deviation, over
the folds, of their share of the rows, their rate of relevant pairs and their share of each language. scikit-learn is
given the finished groups and language × label × main category as classes; ours begins with the raw pairs and finds
the groups itself. Run it with `python benchmarks/deal_folds.py [rows]`.
"""

import json
import sys
import time
import warnings
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings

Ints = NDArray[np.int64]

LANGUAGES: Final = ("en", "es", "fr", "ja", "ko", "pt")
TOP_LEVELS: Final = 35
SETTINGS: Final = FoldSettings(folds=5, tune=0, test=0, qc="query")


def main(rows: int) -> None:
    """Deal a simulated table with both and print what came out."""
    pairs = simulated(rows, seed=0)
    start = time.perf_counter()
    folds = deal(pairs, SETTINGS, seed=0)
    seconds = time.perf_counter() - start
    part = np.select([folds.judges(pairs, name) for name in folds.names], range(folds.count))

    groups = folds.groups["query"].rank("dense").to_numpy()
    main_category = pl.col("target").str.extract("^([^,]*)")
    strata = pairs.frame.select(pl.concat_str("language", "label", main_category).rank("dense")).to_series().to_numpy()
    start = time.perf_counter()
    their_part = stratified_group_k_fold(strata, groups)
    their_seconds = time.perf_counter() - start

    found = {
        "rows": rows,
        "groups": int(groups.max()),
        "seconds": round(seconds, 2),
        "sklearn_seconds": round(their_seconds, 2),
        "times_as_fast": round(their_seconds / seconds, 1),
        "deviations": deviations(pairs, part),
        "sklearn_deviations": deviations(pairs, their_part),
    }
    print(json.dumps(found))


def simulated(rows: int, seed: int) -> Pairs:
    """Return pairs with the competition's languages, a few much-judged queries, and meanings shared by languages."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(1 + rng.pareto(1.5, rows) * 2, 200).astype(int)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), rows)) + 1]
    query = np.repeat(np.arange(len(sizes)), sizes)[:rows]
    language, meaning = rng.integers(0, len(LANGUAGES), len(sizes)), rng.integers(0, len(sizes), len(sizes))
    top = rng.choice(TOP_LEVELS, len(sizes), p=rng.dirichlet(np.full(TOP_LEVELS, 2.0)))
    own_top = np.where(rng.random(rows) < 0.7, top[query], rng.integers(0, TOP_LEVELS, rows))
    frame = pl.DataFrame(
        {
            "id": np.arange(rows),
            "task": ["QC"] * rows,
            "language": pl.Series(LANGUAGES).gather(language[query]),
            "query": pl.select(pl.format("Query no. {}", pl.Series(query))).to_series(),
            "english": pl.select(pl.format("meaning {}", pl.Series(meaning[query]))).to_series(),
            "target": pl.select(pl.format("top {},leaf {}", pl.Series(own_top), pl.Series(rng.integers(0, 99, rows)))),
            "label": rng.random(rows) < rng.beta(4, 2, len(sizes))[query],
        }
    )
    return Pairs.from_frame(frame)


def stratified_group_k_fold(strata: Ints, groups: Ints) -> Ints:
    """Return the fold of each row as scikit-learn deals them."""
    part = np.empty(len(groups), dtype=np.int64)
    dealer = StratifiedGroupKFold(SETTINGS.folds, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of strata with fewer rows than folds
        for fold, (_, judging) in enumerate(dealer.split(groups, strata, groups)):
            part[judging] = fold
    return part


def deviations(pairs: Pairs, part: Ints) -> dict[str, float]:
    """Return how far the worst fold is from an equal share of rows, and from the relevance and languages of all."""
    label, language = pairs.labels, pairs["language"].rank("dense").to_numpy() - 1
    folds = [part == fold for fold in range(SETTINGS.folds)]
    shares = [np.bincount(language[fold], minlength=len(LANGUAGES)) / fold.sum() for fold in folds]
    found = {
        "size": max(abs(fold.mean() - 1 / SETTINGS.folds) for fold in folds),
        "relevant": max(abs(label[fold].mean() - label.mean()) for fold in folds),
        "language": np.abs(np.array(shares) - np.bincount(language) / len(part)).max(),
    }
    return {name: round(float(value), 6) for name, value in found.items()}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
