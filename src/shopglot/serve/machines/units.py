"""Parquet files are cut into units of work, each of which becomes one shard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopglot.core.errors import DataError

_SUFFIX: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Unit:
    """The rows of a file from `start` on, before `stop`; `file` and `number` count files and units from 0."""

    number: int
    file: int
    start: int
    stop: int


def parquet_files(given: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files, and those in the folders by their names, as absolute paths.

    Raises DataError where one is absent, a folder has no Parquet file, or a file has another name.
    """
    found: list[Path] = []
    for path in given:
        if not path.exists():
            raise DataError(f"there is no file or folder {path}; check the path, which all machines must see")
        own = sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else [path]
        if not own:
            raise DataError(f"{path} has no file whose name ends in {_SUFFIX}; name the folder of the Parquet files")
        found += own
    if other := [path for path in found if path.suffix != _SUFFIX]:
        raise DataError(f"{other[0]} is not Parquet, which --engine ray reads; convert it, or use --engine local")
    return tuple(path.absolute() for path in found)


def units(heights: Sequence[int], most: int) -> list[Unit]:
    """Cut files of so many rows into units of `most` rows, which are also the chunks in which one machine reads them.

    >>> [(unit.file, unit.start, unit.stop) for unit in units([250, 0, 90], 100)]
    [(0, 0, 100), (0, 100, 200), (0, 200, 250), (2, 0, 90)]
    """
    spans = [
        (file, start, min(start + most, height))
        for file, height in enumerate(heights)
        for start in range(0, height, most)
    ]
    return [Unit(number, *span) for number, span in enumerate(spans)]
