"""Files of category paths, as shops keep their tree."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.errors import DataError
from shopglot.curate.blocks import read_bytes
from shopglot.curate.clean import clean_paths
from shopglot.curate.raw import REPLACEMENT, as_utf8, text_lines
from shopglot.curate.settings import CurateSettings


def read_taxonomy(files: Sequence[Path], settings: CurateSettings) -> tuple[str, ...]:
    """Return the distinct category paths in `files`, cleaned like those of pairs, in order.

    A line is a path, behind a node's id and a tab if it has one. Levels are separated by ` > ` as in the public
    taxonomies of Google and Shopify, or by a comma without a following space. `.gz` files are read as they are. Raises
    DataError for a file that is absent or empty, and for a line that is no path.
    """
    return tuple(sorted({path for file in files for path in _read(file, settings)}))


def taxonomy_version(paths: Sequence[str]) -> str | None:
    """Return twelve hexadecimal digits that change when the paths do, whatever their order; None for no path.

    >>> taxonomy_version(["home", "food,tea"]) == taxonomy_version(["food,tea", "home"]) != taxonomy_version(["home"])
    True
    """
    if not paths:
        return None
    return hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:12]


def _read(file: Path, settings: CurateSettings) -> pl.Series:
    if not file.is_file():
        raise DataError(f"there is no taxonomy file {file}; check the path")
    text = pl.col("text").str.split("\t").list.last().str.strip_chars()
    written = text_lines(as_utf8(read_bytes(file))).with_columns(text).filter(~pl.col("text").str.contains("^(#|$)"))
    if written.is_empty():
        raise DataError(f"{file} holds no category path; write one a line")
    paths = written.with_columns(path=clean_paths(written["text"], lower_case=settings.lower_case))
    damaged = pl.col("text").str.contains(REPLACEMENT, literal=True)
    wrong = paths.filter(damaged | pl.col("path").is_null() | (levels(pl.col("path")).list.len() > MAX_DEPTH))
    if wrong.height:
        line, text = wrong["line"][0], wrong["text"][0][:80]
        raise DataError(f"{file} line {line} is no category path: {text!r}; write 1 to {MAX_DEPTH} names in UTF-8")
    return paths["path"]
