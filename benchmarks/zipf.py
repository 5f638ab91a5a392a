"""A file that repeats itself as a shop's log does, of any length, drawn from the public Shopify pairs.

Queries are those of train and dev, the n-th of a random order being asked in proportion to 1/n. The candidates of a
query lie around the category path of one of its labelled pairs in the sorted tree of all targets, so that most are its
siblings and cousins: d places away in proportion to 1/(1 + d)², d up to 200 on either side. One candidate in ten is
any path instead, the n-th of a random order in proportion to 1/n.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

SHOPIFY: Final = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc"
COMPOSITION: Final = (
    "queries of Shopify train and dev by Zipf (exponent 1); candidates around a labelled path of the query in the "
    "sorted tree (exponent 2, at most 200 places away), one in ten any path by Zipf (exponent 1)"
)
_FAR: Final = 200
_ANY: Final = 0.1


def shopify(*splits: str) -> pl.DataFrame:
    """Return the pairs of these splits: id, language, origin_query, category_path, label."""
    return pl.concat([pl.read_ndjson(SHOPIFY / f"{split}_QC.txt") for split in splits])


def zipf_pairs(rows: int, seed: int = 7, part: int = 1_000_000) -> Iterator[pl.DataFrame]:
    """Yield the rows in parts, with the columns id, task, language, origin_query and category_path."""
    pairs = shopify("train", "dev").select("origin_query", "language", "category_path")
    paths = pairs["category_path"].unique().sort()
    place = pairs["category_path"].replace_strict(paths, np.arange(len(paths)), return_dtype=pl.Int64)
    asked = pairs.with_columns(place=place).group_by("origin_query", maintain_order=True).agg("place", "language")
    rng = np.random.default_rng(seed)
    asked = asked[rng.permutation(asked.height)]
    flat, lengths = asked["place"].explode().to_numpy(), asked["place"].list.len().to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    languages, order = asked["language"].list.first(), rng.permutation(len(paths))
    by_query, by_path, away = (_zipf(*law) for law in ((len(asked), 1.0), (len(paths), 1.0), (_FAR + 1, 2.0)))
    for start in range(0, rows, part):
        size = min(part, rows - start)
        query = _draw(by_query, size, rng)
        near = flat[starts[query] + (rng.random(size) * lengths[query]).astype(np.int64)]
        near = (near + _draw(away, size, rng) * rng.choice([-1, 1], size)) % len(paths)
        target = np.where(rng.random(size) < _ANY, order[_draw(by_path, size, rng)], near)
        yield pl.DataFrame(
            {
                "id": np.arange(start, start + size),
                "task": pl.Series(["QC"]).new_from_index(0, size),
                "language": languages[query],
                "origin_query": asked["origin_query"][query],
                "category_path": paths[target],
            }
        )


def write_zipf(rows: int, path: Path, seed: int = 7) -> Path:
    """Write the file as JSON lines unless it is there already, and return its path."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for part in zipf_pairs(rows, seed):
                part.write_ndjson(out)
    return path


def repetition(pairs: pl.DataFrame) -> dict[str, int]:
    """Return how many rows and how many distinct pairs, queries and targets there are."""
    counts = {name: pairs[name].n_unique() for name in ("origin_query", "category_path")}
    distinct = pairs.select("origin_query", "category_path").n_unique()
    return {
        "rows": pairs.height,
        "pairs": distinct,
        "queries": counts["origin_query"],
        "targets": counts["category_path"],
    }


def _zipf(count: int, exponent: float) -> NDArray[np.float64]:
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(np.cumsum(weights) / weights.sum(), dtype=np.float64)


def _draw(cumulated: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.minimum(np.searchsorted(cumulated, rng.random(size)), len(cumulated) - 1)
