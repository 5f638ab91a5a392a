"""Which texts are nearly the same."""

from typing import Final

import polars as pl

_AT_ONCE: Final = 50_000
_FEW_AT_ONCE: Final = 2_000
_TRIGRAM: Final = ["gram", "again"]
_SCHEMA: Final = pl.Schema({"text": pl.String(), "twin": pl.String(), "similarity": pl.Float64()})


def near_twins(texts: pl.Series, known: pl.Series, similarity: float) -> pl.DataFrame:
    """Return the pairs of a text and a known one whose character trigrams have at least this Jaccard similarity.

    Both series hold distinct texts; a trigram counts as often as it occurs. The columns are `text`, `twin` and
    `similarity`, the most similar twin first. No twin is missed: two bags so similar share one of their few rarest
    members, and only texts that do are compared (prefix filtering, Chaudhuri et al. 2006).

    >>> near_twins(pl.Series(["tea cups"]), pl.Series(["tea cup", "cups"]), 0.6).rows()
    [('tea cups', 'tea cup', 0.6666666666666666)]
    """
    frequencies = _trigrams(texts.alias("text")).group_by(_TRIGRAM).len().sort("len", *_TRIGRAM)
    ranks = frequencies.select(*_TRIGRAM, rank=pl.int_range(pl.len(), dtype=pl.UInt32))
    own = _ranked(texts.alias("text"), ranks)
    chunks = known.alias("twin").to_frame().iter_slices(_AT_ONCE)
    found = [_matches(own, _ranked(chunk["twin"], ranks), similarity) for chunk in chunks]
    return pl.concat([_SCHEMA.to_frame(), *found]).sort("text", "similarity", "twin", descending=[False, True, False])


def nearest_twins(texts: pl.Series, known: pl.Series, similarity: float, most: int) -> pl.DataFrame:
    """Return what `near_twins` does, of each text no more than its `most` similar twins.

    Common trigrams are counted for all texts that share any, which is quicker where the similarity is low and memory
    bounds it: for some hundred texts.

    >>> nearest_twins(pl.Series(["tea cups"]), pl.Series(["tea cup", "cups", "tea"]), 0.1, 1).rows()
    [('tea cups', 'tea cup', 0.6666666666666666)]
    """
    own = _trigrams(texts.alias("text")).cast({"text": pl.Enum(texts)})
    chunks = known.alias("twin").to_frame().iter_slices(_FEW_AT_ONCE)
    found = [_first(_alike(own, _trigrams(chunk["twin"]), similarity), most) for chunk in chunks]
    return _first(pl.concat([_SCHEMA.to_frame(), *found]), most)


def _alike(own: pl.DataFrame, other: pl.DataFrame, similarity: float) -> pl.DataFrame:
    """Return the twins of texts, an Enum, by the trigrams of both."""
    coded = other.cast({"twin": pl.Enum(other["twin"].unique())})
    sizes = pl.col("size", "size_other").first()
    shared = own.join(coded, on=_TRIGRAM, suffix="_other").group_by("text", "twin").agg(sizes, common=pl.len())
    common = pl.col("common").cast(pl.Int64)
    alike = shared.with_columns(similarity=common / (pl.col("size") + pl.col("size_other") - common))
    return alike.filter(pl.col("similarity") >= similarity).select(pl.col("text", "twin").cast(pl.String), "similarity")


def _first(twins: pl.DataFrame, most: int) -> pl.DataFrame:
    ranked = twins.sort("text", "similarity", "twin", descending=[False, True, False])
    return ranked.group_by("text", maintain_order=True).head(most)


def _trigrams(texts: pl.Series) -> pl.DataFrame:
    """Return one row per trigram of each text, with a space at either end; `again` counts its earlier occurrences."""
    padded = pl.format(" {} ", pl.col(texts.name))
    thirds = pl.concat_list(padded.str.slice(start).str.extract_all("(?s).{3}") for start in range(3))
    listed = texts.to_frame().with_columns(gram=thirds, size=thirds.list.len().cast(pl.Int64))
    counted = listed.explode("gram").group_by(texts.name, "size", "gram").len()
    return counted.with_columns(again=pl.int_ranges("len")).explode("again").drop("len")


def _ranked(texts: pl.Series, ranks: pl.DataFrame) -> pl.DataFrame:
    """Return each text's `size` and the `ranks` of its trigrams from the rarest on; what has no rank is left out."""
    ranked = _trigrams(texts).join(ranks, on=_TRIGRAM)
    return ranked.group_by(texts.name, "size").agg(ranks=pl.col("rank").sort())


def _matches(own: pl.DataFrame, other: pl.DataFrame, similarity: float) -> pl.DataFrame:
    """Return the twins among the texts that share one of their rarest trigrams and are about as long."""
    shared = _rarest(own, similarity).join(_rarest(other, similarity), on="rank", suffix="_other")
    longer, shorter = pl.max_horizontal("size", "size_other"), pl.min_horizontal("size", "size_other")
    candidates = shared.filter(shorter >= similarity * longer).select("text", "twin").unique()
    both = candidates.join(own, on="text").join(other, on="twin", suffix="_other")
    common = pl.col("ranks").list.set_intersection("ranks_other").list.len()
    alike = both.select("text", "twin", similarity=common / (pl.col("size") + pl.col("size_other") - common))
    return alike.filter(pl.col("similarity") >= similarity)


def _rarest(ranked: pl.DataFrame, similarity: float) -> pl.DataFrame:
    """Return the `rank` of so many trigrams of each text that any twin must share one; those without rank count."""
    unranked = pl.col("size") - pl.col("ranks").list.len()
    needed = pl.col("size") - (similarity * pl.col("size") - 1e-9).ceil().cast(pl.Int64) + 1 - unranked
    heads = ranked.filter(needed > 0).with_columns(rank=pl.col("ranks").list.head(needed))
    return heads.drop("ranks").explode("rank")
