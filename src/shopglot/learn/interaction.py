"""What the vectors of a query and a target say about each other: the features of the interaction head."""

from functools import partial
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Encoder
from shopglot.format.template import Template
from shopglot.learn.catalogue import ABSENT, Catalogue, Lists, catalogue_features

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_ROWS_AT_ONCE: Final = 4096
_DOTS_AT_ONCE: Final = 256
"""So few that the vectors which are gathered stay in the processor's cache."""


def path_features(pairs: Pairs, template: Template, encoder: Encoder, catalogue: Catalogue) -> Floats:
    """Return features of queries beside category paths, shape (rows, features).

    Cosines of the query with leaf, parent, both, the whole path and the best level above; the letters they share; and
    where the target stands among the names of the catalogue.
    """
    texts = _path_views(pairs, template)
    query, queries = _numbered(texts["query"])
    vectors = encoder.encode(queries.to_list())
    cosines = _path_cosines(texts, encoder, vectors, query)
    leaf, parent, both, whole, _, _ = cosines.T
    compared = np.column_stack([leaf - parent, both - whole, np.maximum(leaf, both)])
    path, paths = _numbered(pairs["target"])
    standing = catalogue_features(catalogue, vectors, query, catalogue.relatives(paths), path, cosines[:, :2])
    return np.column_stack([cosines, compared, _shared_letters(texts, "leaf", "parent"), standing])


def item_features(pairs: Pairs, template: Template, encoder: Encoder, windows: tuple[int, ...]) -> Floats:
    """Return features of queries beside product titles, shape (rows, features).

    Their cosine; the best, mean and spread of the query's cosines with every window of so many words of the title,
    for sellers put much into a title that nobody asked for; and the letters and words they share.
    """
    texts = pl.DataFrame({"query": template.queries(pairs), "title": template.targets(pairs)})
    query, queries = _numbered(texts["query"])
    title, titles = _numbered(texts["title"])
    vectors = encoder.encode(queries.to_list())
    whole = _cosines(texts["title"], encoder, vectors, query, np.arange(texts.height))
    parts = [_window_cosines(titles, width, encoder, vectors, query, title) for width in windows]
    return np.column_stack([whole, *parts, _shared_letters(texts, "title")])


def _path_views(pairs: Pairs, template: Template) -> pl.DataFrame:
    names = levels(pl.col("target"))
    reverse = names.list.reverse()
    return pairs.frame.select(
        query=template.queries(pairs),
        leaf=names.list.last(),
        parent=reverse.list.get(1, null_on_oob=True),
        both=reverse.list.head(2).list.join(", "),
        whole=reverse.list.join(", "),
        above=reverse.list.slice(2),
        depth=names.list.len(),
    )


def _path_cosines(texts: pl.DataFrame, encoder: Encoder, queries: Floats, query: Rows) -> Floats:
    """Return the cosines of the query with five views of the path, and of leaf with parent; shape (rows, 6)."""
    rows = np.arange(texts.height)
    views = [_cosines(texts[name], encoder, queries, query, rows) for name in ("leaf", "parent", "both", "whole")]
    above = texts.select(pl.col("above")).with_row_index("row").explode("above").drop_nulls()
    owners = above["row"].to_numpy().astype(np.int64)
    best = np.full(texts.height, ABSENT, dtype=np.float32)
    np.maximum.at(best, owners, _cosines(above["above"], encoder, queries, query[owners], np.arange(above.height)))
    leaf, leaves = _numbered(texts["leaf"])
    within = _cosines(texts["parent"], encoder, encoder.encode(leaves.to_list()), leaf, rows)
    return np.column_stack([*views, best, within])


def _cosines(texts: pl.Series, encoder: Encoder, queries: Floats, query: Rows, rows: Rows) -> Floats:
    """Return the cosine of each text with its row's query; `ABSENT` where the text is null."""
    cosines = np.full(len(rows), ABSENT, dtype=np.float32)
    present = texts.is_not_null().to_numpy()
    if present.any():
        number, distinct = _numbered(texts.drop_nulls())
        cosines[present] = _dots(queries, query[present], encoder.encode(distinct.to_list()), number)
    return cosines


def _dots(ones: Floats, one: Rows, others: Floats, other: Rows) -> Floats:
    """Return the scalar product of a row of `ones` and a row of `others` for each pair of their numbers."""
    dots = np.empty(len(one), dtype=np.float32)
    for start in range(0, len(one), _DOTS_AT_ONCE):
        part = slice(start, start + _DOTS_AT_ONCE)
        np.einsum("ij,ij->i", ones[one[part]], others[other[part]], out=dots[part])
    return dots


def _window_cosines(
    titles: pl.Series, width: int, encoder: Encoder, queries: Floats, query: Rows, title: Rows
) -> Floats:
    """Return best, mean and spread of each row's cosines with its title's windows, shape (rows, 3)."""
    words_of = titles.to_frame("title").select(words=pl.col("title").str.split(" "))
    starts = words_of.with_columns(
        start=pl.int_ranges(0, (pl.col("words").list.len().cast(pl.Int64) - width + 1).clip(1), max(1, width // 2))
    )
    cut = (
        starts.with_row_index("title")
        .explode("start")
        .with_columns(window=pl.col("words").list.slice("start", width).list.join(" "))
    )
    number, distinct = _numbered(cut["window"])
    vectors = encoder.encode(distinct.to_list())
    lists = Lists.of(cut.with_columns(number=number).group_by("title", maintain_order=True).agg("number")["number"])
    summary = np.empty((len(query), 3), dtype=np.float32)
    for start in range(0, len(query), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        own = lists.take(title[rows])
        cosines = np.einsum("ij,ij->i", queries[query[rows]][own.owners()], vectors[own.values])
        mean = np.add.reduceat(cosines, own.starts) / own.lengths
        variance = np.add.reduceat((cosines - mean[own.owners()]) ** 2, own.starts) / own.lengths
        best = np.maximum.reduceat(cosines, own.starts)
        summary[rows] = np.column_stack([best, mean, np.sqrt(variance)])
    return summary


def _shared_letters(texts: pl.DataFrame, *names: str) -> Floats:
    """Return what the query's letters share with each of the named texts, and how long all are."""
    query = texts["query"]
    columns = [query.str.len_chars().log1p().to_numpy()]
    if "depth" in texts.columns:
        columns.append(texts["depth"].to_numpy())
    for name in names:
        text = texts[name].fill_null("")
        columns += [
            overlap(query, text, partial(ngrams, size=3)).to_numpy(),
            overlap(query, text, words)["contained"].to_numpy(),
            (query == text).to_numpy(),
            text.str.len_chars().log1p().to_numpy(),
        ]
    return np.column_stack(columns).astype(np.float32)


def _numbered(texts: pl.Series) -> tuple[Rows, pl.Series]:
    """Return which distinct text each row has, and the distinct texts."""
    distinct = texts.unique(maintain_order=True).alias("text")
    numbers = (
        texts.alias("text")
        .to_frame()
        .join(distinct.to_frame().with_row_index("number"), on="text", how="left", maintain_order="left")
    )
    return numbers["number"].to_numpy().astype(np.int64), distinct
