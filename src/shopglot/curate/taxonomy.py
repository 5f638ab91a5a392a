"""Files of category paths, as shops keep their tree."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError
from shopglot.curate.clean import clean_paths
from shopglot.curate.settings import CurateSettings


def read_taxonomy(files: Sequence[Path], settings: CurateSettings) -> tuple[str, ...]:
    """Return the distinct category paths in `files`, cleaned like those of pairs, in order.

    A line is a path, behind a node's id and a tab if it has one. Levels are separated by ` > ` as in the public
    taxonomies of Google and Shopify, or by a comma without a following space. `.gz` files are read as they are. Raises
    DataError for a file that is absent or empty, and for a line that is no path.
    """
    paths: set[str] = set()
    for file in files:
        paths.update(_read(file, settings))
    return tuple(sorted(paths))


def _read(file: Path, settings: CurateSettings) -> list[str]:
    try:
        lines = pl.read_csv(
            file, has_header=False, new_columns=["line"], separator="\n", quote_char=None, schema={"line": pl.String}
        )
    except (OSError, pl.exceptions.PolarsError) as reason:
        raise DataError(
            f"no taxonomy can be read from {file}: {reason}; name a text file of category paths"
        ) from reason
    text = pl.col("line").str.split("\t").list.last().str.strip_chars()
    paths = lines.select(text.alias("path")).filter((pl.col("path") != "") & ~pl.col("path").str.starts_with("#"))
    written = paths.select(pl.col("path").str.replace_all(" > ", ",", literal=True)).to_series()
    cleaned = clean_paths(written, lower_case=settings.lower_case).to_list()
    for path in cleaned:
        CategoryPath.parse(path)
    return cleaned
