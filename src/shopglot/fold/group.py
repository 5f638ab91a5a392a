"""The groups of pairs that no fold may part."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.category import levels
from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.fold.settings import FoldSettings, Mode
from shopglot.fold.spelling import each_once, spelling

KEYS: Final = ("category", "language", "random", "query")
"""All keys in the order in which they are dealt: a query goes where most of its pairs went by the others."""

KEYS_OF: Final[dict[Mode, tuple[str, ...]]] = {
    "query": ("query",),
    "category": ("category",),
    "both": ("category", "query"),
    "language": ("language", "query"),
    "random": ("random",),
}

_CONCEPT: Final = "\U0010ffff"  # sorts behind every text, so that a text names the group


def group_pairs(pairs: Pairs, settings: FoldSettings) -> pl.DataFrame:
    """Return the groups of each pair: `id` and one column per key, null where the key does not apply to its task.

    - `query`: all spellings of a query, and its translations: queries are joined by the same `english`, which may
      itself be a query, by the same `concept`, and along `made_from`. Both tasks share these groups. Translations of
      queries without `english` and `concept` are not known; there only the category key keeps them together.
    - `category`: the first `category_levels` levels of the path; in task QI the title.
    - `language`: the language, but none for a made pair: to translate what has labels takes none in the language.
    - `random`: the pair itself.

    A made pair is only in groups that hold an original. Raises DataError when `made_from` names no original pair of
    the table.
    """
    frame = pairs.frame
    modes: dict[str, Mode] = {"QC": settings.qc, "QI": settings.qi}
    task, original = pl.col("task").cast(pl.String), pl.col("made_from").is_null()
    applies = {key: task.is_in([task for task, mode in modes.items() if key in KEYS_OF[mode]]) for key in KEYS}
    target = pl.when(applies["category"]).then("target")
    path, title = (frame.select(pl.when(task == name).then(target)).to_series() for name in modes)
    subtrees = each_once(path, lambda path: subtree(path, settings.category_levels))
    groups: dict[str, pl.Expr | pl.Series] = {
        "category": pl.coalesce(subtrees, each_once(title, spelling)),
        "language": pl.when(original).then(pl.col("language").fill_null("")),
        "random": pl.coalesce("made_from", "id"),
        "query": _query_groups(frame),
    }
    keyed = frame.select("id", *(pl.when(applies[key]).then(groups[key]).alias(key) for key in KEYS))
    held = {key: keyed[key].filter(frame["made_from"].is_null()).unique().implode() for key in KEYS}
    return keyed.select("id", *(pl.when(pl.col(key).is_in(held[key])).then(key).alias(key) for key in KEYS))


def subtree(path: pl.Expr, depth: int) -> pl.Expr:
    """Return the first levels of category paths, in lower case.

    >>> pl.select(subtree(pl.lit("Food,Flour, Baking and Cooking,Flour"), 2)).item()
    'food,flour, baking and cooking'
    """
    return levels(path.str.to_lowercase()).list.head(depth).list.join(",")


def connected_components(left: NDArray[np.int64], right: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Return the smallest node that each node of a graph is linked to; `left` and `right` are its edges.

    Every round hooks each component to the smallest one next to it and shortens all paths to the root, so that even
    long chains take few rounds (Shiloach and Vishkin 1982).

    >>> connected_components(np.array([0, 3]), np.array([1, 4]), 5).tolist()
    [0, 0, 2, 3, 3]
    """
    root = np.arange(nodes)
    while True:
        one, other = root[left], root[right]
        if np.array_equal(one, other):
            return root
        smaller = np.minimum(one, other)
        np.minimum.at(root, np.concatenate([one, other]), np.concatenate([smaller, smaller]))
        while not np.array_equal(root, root[root]):
            root = root[root]


def _query_groups(frame: pl.DataFrame) -> pl.Series:
    """Return the name of each row's query group: of all texts that are joined, the first in alphabetical order."""
    said = frame.select("query", "english", "concept").unique()
    spelled = said.select("query", text=spelling(pl.col("query")), english=each_once(said["english"], spelling))
    concept = pl.when(pl.col("concept").str.strip_chars() != "").then(_CONCEPT + pl.col("concept"))
    others = (spelled["english"], said.select(concept).to_series())
    known = [pl.DataFrame({"text": spelled["text"], "other": other}) for other in others]
    links = pl.concat([*known, _links_to_parents(frame)])
    proper = links.filter(pl.col("text") != "", pl.col("other") != "", pl.col("text") != pl.col("other")).unique()
    queries = spelled.select("query", "text").unique()
    named = queries.join(_names(proper), on="text", how="left").select("query", name=pl.coalesce("name", "text"))
    coded = named.cast({"name": pl.Enum(named["name"].unique().sort())})
    return frame.select("query").join(coded, on="query", how="left", maintain_order="left")["name"]


def _links_to_parents(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the spelling of each made pair's query as `text`, and of its parent's as `other`."""
    made = frame.drop_nulls("made_from").select("id", "query", "made_from")
    originals = frame.filter(pl.col("made_from").is_null()).select(made_from="id", other="query")
    linked = made.join(originals, on="made_from", how="left")
    orphans = linked.filter(pl.col("other").is_null())
    if orphans.height:
        pair, parent = orphans["id"][0], orphans["made_from"][0]
        raise DataError(f"pair {pair!r} was made from {parent!r}, which is no original pair here; name the original")
    return linked.select(text=spelling(pl.col("query")), other=spelling(pl.col("other")))


def _names(links: pl.DataFrame) -> pl.DataFrame:
    """Return for every linked `text` the `name` of its connected component."""
    nodes = pl.concat([links["text"], links["other"]]).unique().sort()
    codes = links.select(pl.all().cast(pl.Enum(nodes)).to_physical().cast(pl.Int64))
    component = connected_components(codes["text"].to_numpy(), codes["other"].to_numpy(), len(nodes))
    return pl.DataFrame({"text": nodes, "name": nodes[component]})
