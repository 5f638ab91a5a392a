"""Folds as a folder of Parquet tables and one JSON file."""

from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import read_json, whole_folder, write_json
from shopglot.core.folds import Folds


def save_folds(folds: Folds, folder: Path) -> None:
    """Write the folds as Parquet tables and one JSON file into `folder`, which appears whole or not at all."""
    with whole_folder(folder) as part:
        write_json(part / "folds.json", {"count": folds.count, "keys": list(folds.parts)})
        folds.groups.write_parquet(part / "groups.parquet")
        for key, table in folds.parts.items():
            table.write_parquet(part / f"{key}.parquet")


def load_folds(folder: Path) -> Folds:
    """Return the folds that `save_folds` wrote; raises DataError when the folder holds none."""
    try:
        saved = read_json(folder / "folds.json")
        parts = {key: pl.read_parquet(folder / f"{key}.parquet") for key in saved["keys"]}
        return Folds(saved["count"], pl.read_parquet(folder / "groups.parquet"), parts)
    except FileNotFoundError as missing:
        raise DataError(f"{folder} holds no whole folds, deal the pairs again: {missing}") from missing
