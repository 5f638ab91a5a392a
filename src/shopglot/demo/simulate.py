"""A simulated marketplace, written as the competition's files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from pydantic import ValidationError

from shopglot.core.errors import RecipeError
from shopglot.core.files import require_own_folder, whole_file, write_json
from shopglot.core.pair import TASKS, Task
from shopglot.demo.chunk import draw_chunk
from shopglot.demo.draw import Market
from shopglot.demo.lexicon import LANGUAGES, load_lexicon
from shopglot.demo.settings import FEWEST_PAIRS, MOST_NOISE, SimulateSettings
from shopglot.demo.world import World

CHUNK: Final = 20_000
"""Rows that are in memory at once."""

SPLITS: Final = ("train", "dev")
REAL_ROWS: Final[dict[tuple[Task, str], int]] = {
    ("QC", "train"): 300_000,
    ("QC", "dev"): 100_000,
    ("QI", "train"): 340_000,
    ("QI", "dev"): 65_000,
}
"""The competition's sizes; the simulated files share their proportions."""

LANGUAGES_OF: Final[dict[tuple[Task, str], tuple[str, ...]]] = {
    ("QC", "train"): ("en", "es", "fr", "ja", "ko", "pt"),
    ("QC", "dev"): ("en", "es", "fr", "ja", "ko", "pt", "ar", "de", "it", "pl"),
    ("QI", "train"): ("en", "es", "fr", "pt", "th", "ja", "ko"),
    ("QI", "dev"): ("en", "es", "fr", "pt", "th", "ja", "ko", "ar", "de", "id", "it", "pl", "vi"),
}

FILE_CODE: Final = {"vi": "vn"}
TRUTH: Final = "truth.jsonl"
_MARK: Final = "simulated.json"


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was written: the files of pairs, the shop's categories, the truth, and how many rows each file has."""

    folder: Path
    files: dict[str, Path]
    taxonomy: Path
    truth: Path
    rows: dict[str, int]


def simulate(
    out: str | Path, *, pairs: int, seed: int = 0, label_noise: float = 0.0, dev_labels: bool = True
) -> Simulated:
    """Write a simulated marketplace into `out` and return what was written.

    `train_QC.txt`, `dev_QC.txt`, `train_QI.txt` and `dev_QI.txt` are JSON lines with the competition's fields, and
    with `translated_query` (right), `machine_translation` (as wrong as such translations are), `concept` (queries of
    one meaning share it) and in dev `seen_type`. `truth.jsonl` says of each pair its label before noise, how it misses
    and what query and item state. Raises RecipeError where an argument is out of range, or `out` holds other files.
    """
    out = Path(out)
    settings = _settings(pairs=pairs, seed=seed, label_noise=label_noise, dev_labels=dev_labels)
    require_own_folder(out, _MARK)
    lexicon = load_lexicon()
    world = World.of(lexicon, settings.seed)
    files, first_id = {}, dict.fromkeys(TASKS, 1)
    rows = {f"{split}_{task}": count for (task, split), count in sizes(settings.pairs).items()}
    write_json(out / _MARK, {"simulated": True, "settings": settings.model_dump(), "rows": rows})
    with whole_file(out / TRUTH) as truth_part, truth_part.open("wb") as truth:
        for (task, split), count in sizes(settings.pairs).items():
            name = f"{split}_{task}"
            files[name] = out / f"{name}.txt"
            with whole_file(files[name]) as part, part.open("wb") as file:
                for chunk in _chunks(world, settings, task, split, count):
                    numbered = chunk.with_row_index("id", first_id[task])
                    _file_columns(numbered, task, split, settings).write_ndjson(file)
                    _truth_columns(numbered, task, split).write_ndjson(truth)
                    first_id[task] += chunk.height
    with whole_file(out / "taxonomy.txt") as part:
        part.write_text("".join(f"{kind.path}\n" for kind in lexicon.types), encoding="utf-8")
    return Simulated(out, files, out / "taxonomy.txt", out / TRUTH, rows)


def read_truth(folder: Path) -> pl.DataFrame:
    """Return the `id` that each pair of a simulated marketplace has when it is read, and its `label` before noise."""
    rows = pl.read_ndjson(folder / TRUTH, schema={"task": pl.String(), "id": pl.Int64(), "label": pl.Int64()})
    return rows.select(pl.format("{}-{}", "task", "id").alias("id"), pl.col("label").cast(pl.Int8))


def _settings(**arguments: object) -> SimulateSettings:
    try:
        return SimulateSettings.model_validate(arguments)
    except ValidationError as reason:
        wrong = reason.errors()[0]
        raise RecipeError(
            f"simulate cannot take {wrong['loc'][0]} = {wrong['input']!r}; "
            f"pairs start at {FEWEST_PAIRS}, label_noise is between 0 and {MOST_NOISE}, seed is not negative"
        ) from reason


def is_simulated(file: Path) -> bool:
    """Return whether a file stands in a folder that `simulate` wrote."""
    return (file.parent / _MARK).is_file()


def sizes(pairs: int) -> dict[tuple[Task, str], int]:
    """Return how many of `pairs` stand in the file of each task and split."""
    whole = sum(REAL_ROWS.values())
    shares = {key: pairs * rows // whole for key, rows in REAL_ROWS.items()}
    return shares | {("QC", "train"): shares["QC", "train"] + pairs - sum(shares.values())}


def _chunks(world: World, settings: SimulateSettings, task: Task, split: str, count: int) -> Iterator[pl.DataFrame]:
    types = world.seen if split == "train" else np.ones_like(world.seen)
    market = Market.of(world, task, LANGUAGES_OF[task, split], types)
    stream = 1 + TASKS.index(task) * len(SPLITS) + SPLITS.index(split)
    for number, start in enumerate(range(0, count, CHUNK)):
        rng = np.random.default_rng([settings.seed, stream, number])
        yield draw_chunk(rng, market, split, min(CHUNK, count - start), settings.label_noise)


def _file_columns(chunk: pl.DataFrame, task: Task, split: str, settings: SimulateSettings) -> pl.DataFrame:
    codes = [FILE_CODE.get(language, language) for language in LANGUAGES]
    extra = ["seen_type"] if split == "dev" else []
    label = [pl.col("noisy").cast(pl.Int8).alias("label")] if split == "train" or settings.dev_labels else []
    return chunk.select(
        "id",
        pl.lit(task).alias("task"),
        pl.lit(pl.Series(codes)).gather(pl.col("language")).alias("language"),
        "origin_query",
        "translated_query",
        "machine_translation",
        pl.col("target").alias("category_path" if task == "QC" else "item_title"),
        "concept",
        *extra,
        *label,
    )


def _truth_columns(chunk: pl.DataFrame, task: Task, split: str) -> pl.DataFrame:
    return chunk.select(
        pl.lit(task).alias("task"),
        "id",
        pl.col("label").cast(pl.Int8),
        "kind",
        "type",
        pl.lit(split).alias("split"),
        "target_type",
        "stated",
        "offered",
    )
