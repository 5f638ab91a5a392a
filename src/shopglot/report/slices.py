"""What pairs can be sliced by without a column for it: their texts, their traffic, and what training had of them."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.pairs import OWN, Pairs
from shopglot.fold.spelling import each_once, spelling
from shopglot.report.texts import text_columns

Rows = NDArray[np.intp]
"""The numbers of some rows, ascending."""

DERIVED: Final = (
    "category_depth",
    "top_category",
    "query_words",
    "query_characters",
    "script",
    "code_mixed",
    "model_codes",
    "noise",
    "traffic",
    "seen_in_training",
)
"""The slices that need no column of their own; one is left out where all pairs of the task have the same value."""
ENGLISH: Final = "english"
OTHERS: Final = "other languages"
"""English apart from the others: where it is nearly string match, the others tell what a model is worth."""
_THIRDS: Final = ("head", "torso", "tail")


def slice_columns(pairs: Pairs, names: Sequence[str], learned: Pairs | None) -> dict[str, pl.Series]:
    """Return what to slice the pairs of a task by: languages, what shows in the pairs, and the files' columns `names`.

    `learned` is as for `derived_columns`.
    """
    language, frame = pairs["language"], pairs.frame
    columns = {"language": language}
    if "en" in language and language.drop_nulls().n_unique() > 1:
        columns[ENGLISH] = language.replace_strict({"en": "en"}, default=OTHERS)
    columns |= derived_columns(pairs, learned)
    return columns | {name: frame[OWN + name] for name in names if OWN + name in frame.columns}


def derived_columns(pairs: Pairs, learned: Pairs | None) -> dict[str, pl.Series]:
    """Return the value of each row for those of `DERIVED` that tell pairs of one task apart.

    `learned` are the pairs that the judging model learned from, None where they are not known; without them nothing is
    said about what is new to it.
    """
    (task,) = pairs.tasks
    learned = None if learned is None else learned.of_task(task)
    known = pairs["query"] if learned is None else pl.concat([pairs["query"], learned["query"]])
    found = {each.name: each for each in text_columns(pairs.frame, known)} | {"traffic": _traffic(pairs)}
    if task == "QC":
        found |= _of_categories(pairs["target"])
    if learned is not None:
        found["seen_in_training"] = _seen_in_training(pairs, learned, "category" if task == "QC" else "item")
    return {name: found[name] for name in DERIVED if name in found and found[name].n_unique() > 1}


def rows_of_values(column: pl.Series) -> dict[str, Rows]:
    """Return the rows of each value: those of an Enum in its order, else the most frequent first; null is "unknown".

    >>> {value: rows.tolist() for value, rows in rows_of_values(pl.Series(["fr", "en", None, "en"])).items()}
    {'en': [1, 3], 'fr': [0], 'unknown': [2]}
    """
    place = column.to_physical() if isinstance(column.dtype, pl.Enum) else pl.lit(0)
    values = pl.select(place=place, value=column.cast(pl.String).fill_null("unknown")).with_row_index("row")
    grouped = values.group_by("value").agg("row", pl.len(), pl.col("place").first())
    ordered = grouped.sort(["place", "len", "value"], descending=[False, True, False], nulls_last=True)
    rows = (np.sort(each.to_numpy()).astype(np.intp) for each in ordered["row"])
    return dict(zip(ordered["value"], rows, strict=True))


def _traffic(pairs: Pairs) -> pl.Series:
    """Return which third of the traffic the query of each row is in, from the busiest query down.

    The traffic of a query is the weight of its pairs; without weights, how often it occurs. Queries that are equally
    busy stay together, in the third where the middle of their traffic lies.
    """
    queries = pairs.frame.group_by("query").agg(busy=pl.col("weight").sum())
    as_busy = queries.group_by("busy").agg(traffic=pl.col("busy").sum()).sort("busy", descending=True)
    traffic = pl.col("traffic")
    middle = (traffic.cum_sum() - traffic / 2) / traffic.sum()
    third = pl.when(middle < 1 / 3).then(pl.lit("head")).when(middle < 2 / 3).then(pl.lit("torso"))
    named = as_busy.select("busy", third=third.otherwise(pl.lit("tail")).cast(pl.Enum(_THIRDS)))
    of_query = queries.join(named, on="busy")
    return pairs.frame.select("query").join(of_query, on="query", how="left", maintain_order="left")["third"]


def _of_categories(path: pl.Series) -> dict[str, pl.Series]:
    depth = each_once(path, lambda path: levels(path).list.len().clip(upper_bound=MAX_DEPTH).cast(pl.String))
    return {
        "category_depth": depth.cast(pl.Enum([str(number) for number in range(1, MAX_DEPTH + 1)])),
        "top_category": each_once(path, lambda path: levels(path).list.first()),
    }


def _seen_in_training(pairs: Pairs, learned: Pairs, target: str) -> pl.Series:
    """Return the cell of the generalisation matrix that each row is in; another spelling of a query is not new."""
    known = {
        "query": _is_known(each_once(pairs["query"], spelling), each_once(learned["query"], spelling)),
        target: _is_known(pairs["target"], learned["target"]),
        "language": _is_known(pairs["language"], learned["language"]),
    }
    said = {kind: (f"seen {kind}", f"new {kind}") for kind in known}
    cells = pl.Enum([", ".join(cell) for cell in product(*said.values())])
    words = [pl.when(kind).then(pl.lit(seen)).otherwise(pl.lit(new)) for kind, (seen, new) in said.items()]
    return pl.DataFrame(known).select(pl.concat_str(words, separator=", ").cast(cells)).to_series()


def _is_known(values: pl.Series, known: pl.Series) -> pl.Series:
    return values.is_in(known.unique().implode(), nulls_equal=True)
