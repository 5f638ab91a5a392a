"""The names that a shop's categories have in its languages, from one file of paths for each."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.errors import DataError
from shopglot.curate.blocks import read_bytes
from shopglot.curate.clean import clean_paths
from shopglot.curate.raw import REPLACEMENT, as_utf8, text_lines
from shopglot.enrich.catalogue_file import columns_of, read_table

NAMES: Final = pl.Schema(
    {
        "node": pl.String(),
        "language": pl.String(),
        "path": pl.String(),
        "name": pl.String(),
        "synonyms": pl.List(pl.String()),
    }
)
"""The columns of localised names; `path` separates levels as the competition does, in the case of the file."""

_LINES: Final = (".txt", ".tsv")
_TABLES: Final = (".csv", ".parquet")
_ONE_FOLDER_EACH: Final = "categories.txt"
_LANGUAGE: Final = r"(?i)^[a-z]{2,3}([-_][a-z0-9]+)*$"
_NODE: Final = r"^(?:(gid:\S+)\s+:\s|([^\t]+)\t)"
_ARROW: Final = " > "
_BETWEEN_SYNONYMS: Final = "|"


def find_localised(folder: Path) -> dict[str, Path]:
    """Return the file of each language in a folder, by the language as it is written there.

    Either each language is a folder with `categories.txt`, as in `dist` of the public Shopify taxonomy, or a file such
    as `fr.tsv.gz`, `pt-BR.txt`, `de.csv` or `ja.parquet`. Raises DataError for a folder with neither.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; name one that holds a file of category paths for each language")
    folders = {file.parent.name: file for file in sorted(folder.glob(f"*/{_ONE_FOLDER_EACH}"))}
    files: dict[str, Path] = {}
    for file in (file for file in sorted(folder.iterdir()) if _format(file) in _LINES + _TABLES):
        language = file.name.split(".")[0]
        if (first := files.setdefault(language, file)) != file and not folders and re.match(_LANGUAGE, language):
            raise DataError(f"{first} and {file.name} are of one language; keep one of them")
    found = pl.DataFrame({"language": [*(folders or files)]}, schema={"language": pl.String})
    named = found.filter(pl.col("language").str.contains(_LANGUAGE))["language"].to_list()
    if not named:
        raise DataError(
            f"{folder} is laid out in no known way; it needs a folder with {_ONE_FOLDER_EACH} for each language, or "
            "files such as fr.tsv.gz, fr.txt, fr.csv or fr.parquet"
        )
    return {language: (folders or files)[language] for language in named}


def read_localised(files: Mapping[str, Path]) -> pl.DataFrame:
    """Return the names of all nodes in all languages, with the columns of `NAMES`.

    A `.txt` or `.tsv` file (also .gz) has a path a line, behind the node and a tab, or behind the node and ` : `, as
    in Shopify's files; lines that begin with `#` are left out. A CSV or Parquet file has the columns `path` and, if
    there are several languages, `node`, which joins them; `synonyms` may hold other names, separated by `|`. Levels are
    separated by ` > `, or in files without it by a comma without a following space. Where no node is named, the path
    is the node. Languages are cut to their first part: `pt-BR` and `pt-PT` are both `pt`.

    Raises DataError for a file without paths, for a line that holds none, and for a node with two paths in one file.
    """
    return pl.concat(_read(file).with_columns(language=pl.lit(_code(name))) for name, file in files.items()).select(
        list(NAMES)
    )


def names_of_items(categories: pl.Series, language: str) -> pl.DataFrame:
    """Return the names in the categories of items, for a shop without a file of them, with the columns of `NAMES`."""
    paths = pl.DataFrame({"path": as_written(categories).drop_nulls().unique(maintain_order=True)})
    path, synonyms = pl.col("path"), pl.lit(None, dtype=NAMES["synonyms"])
    named = {"node": path.str.to_lowercase(), "language": pl.lit(language), "name": levels(path).list.last()}
    return paths.with_columns(**named, synonyms=synonyms).unique("node", maintain_order=True).select(list(NAMES))


def as_written(paths: pl.Series) -> pl.Series:
    """Return the paths of one file as the competition separates them, in their own case.

    Where any of them has ` > `, that alone separates levels, and a comma belongs to a name.

    >>> as_written(pl.Series(["Food > Ear,Nose,Tail", "Food"])).to_list()
    ['Food,Ear, Nose, Tail', 'Food']
    """
    if paths.str.contains(_ARROW, literal=True).any():
        paths = paths.str.replace_all(r"\s*,\s*", ", ")
    return clean_paths(paths, lower_case=False)


def _format(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).suffix.lower()


def _code(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _read(file: Path) -> pl.DataFrame:
    rows = _from_table(file) if _format(file) in _TABLES else _from_lines(file)
    if rows.is_empty():
        raise DataError(f"{file} holds no category path; write one a line, behind its node and a tab")
    path = pl.col("path")
    clean = rows.with_columns(raw=path, path=as_written(rows["path"]))
    wrong = (
        path.is_null() | (levels(path).list.len() > MAX_DEPTH) | pl.col("raw").str.contains(REPLACEMENT, literal=True)
    )
    _refuse(clean.filter(wrong), file)
    node = pl.coalesce(pl.col("node").str.split("/").list.last(), path.str.to_lowercase())
    named = clean.select("line", "path", "synonyms", node=node, name=levels(path).list.last())
    distinct = named.unique(["node", "path"], keep="first", maintain_order=True)
    if (twice := distinct.filter(pl.col("node").is_duplicated())).height:
        first, other = twice.filter(pl.col("node") == twice["node"][0])["path"][:2]
        raise DataError(
            f"{file} gives the node {twice['node'][0]!r} two paths, {first!r} and {other!r}; keep one of them"
        )
    return distinct


def _from_lines(file: Path) -> pl.DataFrame:
    lines = text_lines(as_utf8(read_bytes(file))).filter(~pl.col("text").str.contains(r"^\s*#"))
    node = pl.coalesce(pl.col("text").str.extract(_NODE, group) for group in (1, 2))
    path = pl.col("text").str.replace(_NODE, "").str.strip_chars()
    return lines.select("line", node=node, path=path, synonyms=pl.lit(None, dtype=pl.List(pl.String)))


def _from_table(file: Path) -> pl.DataFrame:
    table = columns_of(read_table(file), file, {"path": "path"}, {"node": "node", "synonyms": "synonyms"})
    split = pl.col("synonyms").str.split(_BETWEEN_SYNONYMS).list.eval(pl.element().str.strip_chars()).list.drop_nulls()
    return table.with_columns(split).with_row_index("line", offset=1).cast({"line": pl.Int64})


def _refuse(wrong: pl.DataFrame, file: Path) -> None:
    if wrong.height:
        line, text = wrong["line"][0], (wrong["raw"][0] or "")[:80]
        raise DataError(f"{file} line {line} is no category path: {text!r}; write 1 to {MAX_DEPTH} names in UTF-8")
