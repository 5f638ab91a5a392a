"""How good translations are, without a reference: do they mean the same to an encoder, and do they lead back?"""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.metrics import Floats
from shopglot.core.pairs import TRANSLATED, Pairs
from shopglot.core.scores import Encoder
from shopglot.enrich.readings import other_english
from shopglot.enrich.translator import Translate

_ORDERS: Final = range(1, 7)
_BETA: Final = 2.0


def translation_quality(
    pairs: Pairs, encoder: Encoder, translate: Translate | None = None, *, seed: int
) -> pl.DataFrame:
    """Return the distinct translations of `pairs`, one row per `language`, `query` and `english`, in that order.

    `pairs` counts their rows. `agreement` is the cosine of query and translation by `encoder`, and `by_chance` that of
    the query and the translation of another one of its language, drawn by `seed`: an encoder that does not know a
    language tells the two apart no better than a coin. `round_trip` is the chrF of the query and what `translate`
    makes of its translation in the query's language, from 0 to 1; null where there is no such text.
    """
    keys = ["language", "query", "english"]
    translated = pairs.frame.with_columns(other=other_english(pairs, seed)).filter(TRANSLATED)
    distinct = translated.group_by(keys).agg(pl.col("other").min(), pairs=pl.len()).sort(keys)
    asked = distinct.select(text="english", source=pl.lit("en"), target="language")
    back = translate(asked) if translate else pl.repeat(None, distinct.height, dtype=pl.String, eager=True)
    return distinct.select(
        *keys,
        "pairs",
        agreement=pl.Series(agreement(encoder, distinct["query"], distinct["english"])),
        by_chance=pl.Series(agreement(encoder, distinct["query"], distinct["other"])),
        round_trip=pl.when(back.is_not_null()).then(pl.Series(chrf(back.fill_null(""), distinct["query"]))),
    )


def agreement(encoder: Encoder, texts: pl.Series, others: pl.Series) -> Floats:
    """Return the cosine of each text and the other in its row, shape (texts,); a text is encoded once."""
    if texts.is_empty():
        return np.empty(0)
    distinct = pl.concat([texts, others]).unique(maintain_order=True)
    vectors = encoder.encode(distinct.to_list())
    first, second = (vectors[_positions(column, distinct)] for column in (texts, others))
    cosine: Floats = np.einsum("nd,nd->n", first, second, dtype=np.float64)
    return cosine


def chrf(texts: pl.Series, references: pl.Series) -> Floats:
    """Return the character n-gram F-score of each text against the reference in its row, from 0 to 1, shape (texts,).

    Precision and recall are averaged over the n-grams of one to six characters that both texts have, spaces left
    out, and recall counts twice (Popović, 2015).

    >>> chrf(pl.Series(["abc", "tea"]), pl.Series(["abd", "tea"])).round(4).tolist()
    [0.3889, 1.0]
    """
    precision, recall, orders = (np.zeros(len(texts)) for _ in range(3))
    for size in _ORDERS:
        ours, theirs = _grams(texts, size), _grams(references, size)
        found, wanted = _totals(ours, len(texts)), _totals(theirs, len(texts))
        common = ours.join(theirs, on=["row", "gram"]).select("row", count=pl.min_horizontal("count", "count_right"))
        shared, both = _totals(common, len(texts)), (found > 0) & (wanted > 0)
        precision += np.divide(shared, found, where=both, out=np.zeros(len(texts)))
        recall += np.divide(shared, wanted, where=both, out=np.zeros(len(texts)))
        orders += both
    weighted = _BETA**2 * precision + recall
    score = (1 + _BETA**2) * precision * recall / np.maximum(orders, 1)
    return np.divide(score, weighted, where=weighted > 0, out=np.zeros(len(texts)))


def _positions(column: pl.Series, distinct: pl.Series) -> NDArray[np.int64]:
    numbers = pl.DataFrame({"text": distinct}).with_row_index("position")
    joined = column.to_frame("text").join(numbers, on="text", how="left", maintain_order="left")
    return joined["position"].to_numpy().astype(np.int64)


def _grams(texts: pl.Series, size: int) -> pl.DataFrame:
    """Return how often each text has each of its n-grams: `row`, `gram`, `count`."""
    text = pl.col("text").str.replace_all(r"\s", "")
    starts = [text.str.slice(start).str.extract_all(rf"(?s).{{{size}}}") for start in range(size)]
    grams = texts.to_frame("text").with_row_index("row").select("row", gram=pl.concat_list(starts))
    return grams.explode("gram").drop_nulls("gram").group_by("row", "gram").agg(count=pl.len())


def _totals(grams: pl.DataFrame, rows: int) -> Floats:
    return np.bincount(grams["row"], weights=grams["count"], minlength=rows).astype(np.float64)
