"""How fast and how evenly pairs are dealt into folds, beside scikit-learn's StratifiedGroupKFold.

Prints one JSON line: the seconds of both, how many times as fast ours is, and for both the largest deviation, over
the folds, of their share of the rows, their rate of relevant pairs and their share of each language. scikit-learn is
given the finished groups, and language × label × main category as classes; ours begins with the raw pairs and finds
the groups too, so its time is given with and without that. Run it with `python benchmarks/deal_folds.py [rows]`.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.group import group_pairs
from shopglot.fold.settings import FoldSettings

Ints = NDArray[np.int64]
T = TypeVar("T")

LANGUAGES: Final = ("en", "es", "fr", "ja", "ko", "pt")
TOP_LEVELS: Final = 35
SETTINGS: Final = FoldSettings(folds=5, tune=0, test=0, qc="query")


def main(rows: int) -> None:
    """Deal a simulated table with both and print what came out."""
    deal(simulated(1000, seed=1), SETTINGS, seed=0)  # threads start with the first table
    pairs = simulated(rows, seed=0)
    grouping, groups = timed(lambda: group_pairs(pairs, SETTINGS)["query"].to_physical().to_numpy())
    whole, folds = timed(lambda: deal(pairs, SETTINGS, seed=0))
    part = np.select([folds.judges(pairs, name) for name in folds.names], range(folds.count))
    main_category = pl.col("target").str.extract("^([^,]*)")
    strata = pairs.frame.select(pl.concat_str("language", "label", main_category).rank("dense")).to_series().to_numpy()
    theirs, their_part = timed(lambda: stratified_group_k_fold(strata, groups))
    found = {
        "rows": rows,
        "groups": len(np.unique(groups)),
        "seconds": round(whole, 2),
        "seconds_without_grouping": round(whole - grouping, 2),
        "sklearn_seconds": round(theirs, 2),
        "times_as_fast": round(theirs / whole, 1),
        "times_as_fast_without_grouping": round(theirs / (whole - grouping), 1),
        "deviations": deviations(pairs, part),
        "sklearn_deviations": deviations(pairs, their_part),
    }
    print(json.dumps(found))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how many seconds the work took, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


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
