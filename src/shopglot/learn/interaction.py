"""What the vectors of a query and a target say about each other: the features of the interaction head."""

from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Encoder
from shopglot.format.template import Template
from shopglot.learn.catalogue import ABSENT, Catalogue, catalogue_features
from shopglot.learn.lists import Lists
from shopglot.learn.paths import VIEWS, Letters, Paths, RememberedPaths, dots, shared

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_ROWS_AT_ONCE: Final = 4096


def path_features(
    pairs: Pairs, template: Template, encoder: Encoder, catalogue: Catalogue, known: RememberedPaths
) -> Floats:
    """Return features of queries beside category paths, shape (rows, features).

    Cosines of the query with leaf, parent, both, the whole path and the best level above; the letters they share; and
    where the target stands among the names of the catalogue.
    """
    query, queries = _numbered(template.queries(pairs))
    vectors = encoder.encode(queries.to_list())
    target, targets = _numbered(pairs["target"])
    paths, number = known.of(targets.to_list())
    path = number[target]
    cosines = _path_cosines(paths, path, vectors, query)
    leaf, parent, both, whole, _, _ = cosines.T
    compared = np.column_stack([leaf - parent, both - whole, np.maximum(leaf, both)])
    standing = catalogue_features(catalogue, vectors, query, paths.around, path, cosines[:, :2])
    return np.column_stack([cosines, compared, _letters_of_paths(paths, path, queries, query), standing])


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


def _path_cosines(paths: Paths, path: Rows, queries: Floats, query: Rows) -> Floats:
    """Return the cosines of the query with five views of the path, and of leaf with parent; shape (rows, 6)."""
    views = [dots(queries, query, paths.vectors, paths.views[path, view]) for view in range(len(VIEWS))]
    views[1][~paths.has_parent[path]] = ABSENT
    above = paths.above.take(path)
    best = np.full(len(path), ABSENT, dtype=np.float32)
    owners = above.owners()
    np.maximum.at(best, owners, dots(queries, query[owners], paths.vectors, above.values))
    return np.column_stack([*views, best, paths.within[path]])


def _letters_of_paths(paths: Paths, path: Rows, queries: pl.Series, query: Rows) -> Floats:
    """Return what the query's letters share with leaf and parent, how long all are, and how deep the path is."""
    own = Letters.of(queries)
    columns: list[NDArray[Any]] = [own.length[query], paths.depth[path]]
    for name in (paths.leaf, paths.parent):
        common = shared(own.grams.take(query), name.gram_keys, path)
        mine, theirs = own.grams.lengths[query], name.letters.grams.lengths[path]
        columns += [
            common / np.maximum(mine + theirs - common, 1),
            common / np.maximum(mine, 1),
            shared(own.words.take(query), name.word_keys, path) / np.maximum(own.words.lengths[query], 1),
            own.whole[query] == name.letters.whole[path],
            name.letters.length[path],
        ]
    return np.column_stack(columns).astype(np.float32)


def _cosines(texts: pl.Series, encoder: Encoder, queries: Floats, query: Rows, rows: Rows) -> Floats:
    """Return the cosine of each text with its row's query; `ABSENT` where the text is null."""
    cosines = np.full(len(rows), ABSENT, dtype=np.float32)
    present = texts.is_not_null().to_numpy()
    if present.any():
        number, distinct = _numbered(texts.drop_nulls())
        cosines[present] = dots(queries, query[present], encoder.encode(distinct.to_list()), number)
    return cosines


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
    number: dict[str, int] = {}  # a join would take a small request longer than the loop takes a large one
    rows = [number.setdefault(text, len(number)) for text in texts.to_list()]
    return np.array(rows, dtype=np.int64), pl.Series("text", list(number), dtype=pl.String)
