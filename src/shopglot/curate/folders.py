"""Data sets that spread a pair over several files of one folder."""

from pathlib import Path

import polars as pl

from shopglot.core.errors import DataError
from shopglot.curate.raw import QUARANTINE, RawTable
from shopglot.curate.separated import read_separated

_JUDGEMENTS = "label.csv"
_KEYS = {"query.csv": "query_id", "product.csv": "product_id"}


def read_wands(folder: Path) -> RawTable:
    """Return the judgements of a WANDS folder with the columns of their query and product beside them.

    The layout is that of Wayfair's WANDS (Chen et al., ECIR 2022): query.csv, product.csv and label.csv, separated
    by tabs. Raises DataError when one of them is absent.
    """
    absent = [name for name in (*_KEYS, _JUDGEMENTS) if not (folder / name).is_file()]
    if absent:
        raise DataError(
            f"the folder {folder} lacks {', '.join(absent)}; only WANDS is read as a folder, else give files"
        )
    judgements = read_separated(folder / _JUDGEMENTS, "\t")
    rows = judgements.rows.with_columns(judgements.lines)
    broken = [judgements.broken]
    for name, key in _KEYS.items():
        others = read_separated(folder / name, "\t")
        _refuse_without(key, rows, folder / _JUDGEMENTS)
        _refuse_without(key, others.rows, folder / name)
        unknown = rows.join(others.rows, on=key, how="anti", maintain_order="left")
        reason = pl.format("{} has no " + key + " {}", pl.lit(name), key)
        text = pl.struct(pl.exclude("line")).struct.json_encode()
        strays = unknown.with_columns(file=pl.lit(judgements.file), reason=reason, text=text)
        broken += [others.broken, strays.select(list(QUARANTINE))]
        rows = rows.join(others.rows.unique(key, keep="first"), on=key, how="inner", maintain_order="left")
    return RawTable.of(judgements.file, rows.drop("line"), rows["line"], pl.concat(broken))


def _refuse_without(key: str, rows: pl.DataFrame, path: Path) -> None:
    if key not in rows.columns:
        raise DataError(f"{path} has no column {key!r}; it has {', '.join(rows.columns)}")
