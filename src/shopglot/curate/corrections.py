"""A review file that a person has edited is taken back: labels are corrected, rows count less or are dropped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.curate.read import whole_table

CHANGES: Final = {"keep": "confirmed", "flip": "relabelled", "drop": "dropped", "weight": "reweighted"}
"""The actions, and what has happened to the rows that have them."""

_NEEDED: Final = ("id", "query", "target")
_ONE_OF: Final = ("action", "label")
_LABELS: Final = {"0": 0, "1": 1}
ACTION: Final = r"^(keep|flip|drop|weight)(?: (\d+(?:\.\d+)?))?$"
"""An action in lower case, without spaces around it."""


def correct(pairs: Pairs, reviews: Sequence[Path]) -> tuple[Pairs, dict[str, int]]:
    """Return the pairs as the review files leave them, one file after the other, and how many rows each change met.

    A file has the columns `id`, `query` and `target`, and `action`, `label` or both; of others no notice is taken. The
    action is `keep`, `flip`, `drop`, or `weight` with the factor that the row's weight is multiplied by. Where there
    is no action, a label that differs from that of the pair replaces it; a row with neither was not reviewed.

    Raises DataError, which names the line, for an id that no pair has or that stands there twice, for an action or
    label that cannot be read, for an action beside another label than the pair's (one of them is out of date), and
    for a reviewed query or target that is not that of the pair.
    """
    counts = dict.fromkeys(CHANGES.values(), 0) if reviews else {}
    for path in reviews:
        changes = _changes(_review(path), pairs, path)
        pairs = _changed(pairs, changes)
        counts = {change: count + int((changes["change"] == change).sum()) for change, count in counts.items()}
    return pairs, counts


def reviewed(reviews: Sequence[Path]) -> list[str]:
    """Return the ids of the rows that have an action in any of the files."""
    return [name for path in reviews for name in _review(path).drop_nulls("action")["id"].to_list()]


def _review(path: Path) -> pl.DataFrame:
    """Return the `line` of each row and, as text, its id, query, target, action and label."""
    table = whole_table(path)
    has = table.rows.columns
    if lacking := [*(name for name in _NEEDED if name not in has), *([] if set(_ONE_OF) & set(has) else ["action"])]:
        raise DataError(f"{path} is no review file, for it lacks {', '.join(lacking)}; `shopglot audit` writes one")
    absent = pl.lit(None, dtype=pl.String)
    texts = {
        name: pl.col(name).cast(pl.String).str.strip_chars() if name in has else absent for name in (*_NEEDED, *_ONE_OF)
    }
    action = pl.col("action").str.to_lowercase().str.replace_all(r"\s+", " ")
    return table.rows.select(**texts).with_columns(
        line=table.lines,
        id=pl.col("id").fill_null(""),
        action=pl.when(action != "").then(action),
        edited=pl.col("label").fill_null("") if "label" in has else absent,
    )


def _changes(review: pl.DataFrame, pairs: Pairs, path: Path) -> pl.DataFrame:
    """Return `id`, `change`, the new `label` and the `factor` of the reviewed rows; raises DataError for a fault."""
    given = pairs.frame.select("id", "query", "target", own=pl.col("label"), known=True)
    parsed = review.with_columns(
        verb=pl.col("action").str.extract(ACTION, 1),
        factor=pl.col("action").str.extract(ACTION, 2).cast(pl.Float64),
        written=pl.col("edited").str.strip_suffix(".0").replace_strict(_LABELS, default=None, return_dtype=pl.Int8),
    )
    rows = parsed.join(given, on="id", how="left", suffix="_given", maintain_order="left")
    differs = (pl.col("written") != pl.col("own")).fill_null(value=False)
    rows = rows.with_columns(differs=differs, done=pl.col("action").is_not_null() | differs)
    faulty = rows.with_columns(fault=pl.coalesce(_faults())).drop_nulls("fault")
    if faulty.height:
        raise DataError(f"{path} line {faulty['line'][0]}: {faulty['fault'][0]}")
    return rows.filter("done").select(
        "id",
        "factor",
        change=pl.col("verb").fill_null("flip").replace_strict(CHANGES),
        label=pl.when(differs | (pl.col("verb") == "flip")).then(1 - pl.col("own")).otherwise("own"),
    )


def _faults() -> list[pl.Expr]:
    """What makes a row of a review no correction; the first that holds is said."""
    moved = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_given").str.strip_chars() for name in ("query", "target"))
    weighed = pl.col("verb") == "weight"
    faults = [
        (pl.col("known").is_null(), "no training pair has the id '{}'; is this the review of other files?"),
        (~pl.col("id").is_first_distinct(), "the id '{}' stands in an earlier line too; leave one of them"),
        (
            pl.col("action").is_not_null() & (pl.col("verb").is_null() | (weighed != pl.col("factor").is_not_null())),
            "the action of '{}' is not keep, flip, drop, or weight with a number, such as weight 0.3",
        ),
        (pl.col("edited").is_not_null() & pl.col("written").is_null(), "the label of '{}' is not 0 or 1"),
        (
            pl.col("action").is_not_null() & pl.col("differs"),
            "the label of '{}' differs from the training files', and it has an action too; undo one of the two",
        ),
        (
            pl.col("done") & moved.fill_null(value=True),
            "the training pair '{}' has another query or target; is this the review of other files, or was it edited?",
        ),
    ]
    return [pl.when(holds).then(pl.format(text, "id")) for holds, text in faults]


def _changed(pairs: Pairs, changes: pl.DataFrame) -> Pairs:
    rows = pairs.frame.join(changes, on="id", how="left", suffix="_new", maintain_order="left")
    kept = rows.filter(pl.col("change").ne_missing("dropped")).with_columns(
        label=pl.coalesce("label_new", "label"), weight=pl.col("weight") * pl.col("factor").fill_null(1.0)
    )
    return Pairs(kept.select(pairs.frame.columns))
