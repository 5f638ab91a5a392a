"""The lengths, words, overlaps and tokens of texts; characters are looked at once per distinct text."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from shopglot.core.jaccard import overlap, words
from shopglot.report.exploration import Bin, Fertility, Length, Overlap, Text, Word

UNITS: Final = ("characters", "words", "tokens")
_BINS: Final = 25
_TOP: Final = 20
_TOP_IN_LANGUAGE: Final = 10
_TELLING: Final = r"\w{3}|[^\p{Latin}\p{N}_]{2}"
"""What a top word has: three letters or digits, or two letters of a script that says more with each."""

LABELS: Final = {"pairs": pl.len(), "labelled": pl.col("label").count(), "relevant": pl.col("label").sum()}
SUMS: Final = [pl.col(name).sum() for name in LABELS]

Texts = Mapping[Text, str]
"""The column of each text."""


def with_sizes(frame: pl.DataFrame, texts: Texts, tokens: pl.DataFrame | None) -> pl.DataFrame:
    """Return the pairs with a column `<text> <unit>` for each text and unit, null where a pair lacks the text.

    `tokens` has the columns `text` and `tokens`, and a row for every distinct text of the pairs.
    """
    for text, column in texts.items():
        distinct = frame.select(text=pl.col(column).drop_nulls().unique()).with_columns(
            characters=pl.col("text").str.len_chars(), words=pl.col("text").str.count_matches(r"\w+")
        )
        if tokens is not None:
            distinct = distinct.join(tokens, on="text", how="left")
        named = distinct.rename({unit: f"{text} {unit}" for unit in UNITS if unit in distinct.columns})
        frame = frame.join(named.rename({"text": column}), on=column, how="left", maintain_order="left")
    if tokens is None:
        return frame
    target = "path" if "path" in texts else "title"
    return frame.with_columns((pl.col("query tokens") + pl.col(f"{target} tokens")).alias("pair tokens"))


def lengths(sized: pl.DataFrame, texts: Texts) -> Iterator[Length]:
    """Yield the lengths of each text over all pairs, by label and by language."""
    length = pl.col("length")
    spread = {
        "pairs": pl.len(),
        "mean": length.mean(),
        "minimum": length.min(),
        **{name: length.quantile(share, "linear") for name, share in _QUANTILES.items()},
        "maximum": length.max(),
    }
    for text in (*texts, "pair"):
        for unit in (unit for unit in UNITS if f"{text} {unit}" in sized.columns):
            rows = sized.select("language", "label", length=f"{text} {unit}").drop_nulls("length").sort("length")
            found = sliced(rows, [["label"], ["language"]], spread)
            yield from (Length.model_validate({"text": text, "unit": unit, **row}) for row in found.to_dicts())


_QUANTILES: Final = {"p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}


def length_bins(sized: pl.DataFrame, texts: Texts) -> Iterator[Bin]:
    """Yield the histogram of each text's characters: bins of one width, the longest percent of texts in the last."""
    for text in texts:
        length = sized[f"{text} characters"].drop_nulls()
        width = math.ceil(((length.quantile(0.99) or 0) + 1) / (_BINS - 1))
        number = (length // width).clip(upper_bound=_BINS - 1).alias("number")
        pairs = dict(number.value_counts().iter_rows())
        for start in range(max(pairs) + 1):
            end = None if start == _BINS - 1 else (start + 1) * width - 1
            yield Bin(text=text, start=start * width, end=end, pairs=pairs.get(start, 0))


def top_words(frame: pl.DataFrame, texts: Texts) -> Iterator[Word]:
    """Yield the words that most pairs have in each text, and those of queries also by language."""
    for text, column in texts.items():
        distinct = frame.drop_nulls(column).group_by(column, "language").agg(**LABELS)
        spoken = distinct.select("language", *LABELS, word=words(pl.col(column))).explode("word")
        counted = spoken.filter(pl.col("word").str.contains(_TELLING)).group_by("language", "word").agg(SUMS)
        everywhere = counted.group_by("word").agg(SUMS).sort("pairs", "word", descending=[True, False]).head(_TOP)
        found = [everywhere.with_columns(language=pl.lit(None, dtype=pl.String))]
        if text == "query":
            ranked = counted.sort("language", "pairs", "word", descending=[False, True, False])
            found.append(ranked.group_by("language", maintain_order=True).head(_TOP_IN_LANGUAGE))
        shares = pl.concat(found, how="diagonal").with_columns(relevant_share=ratio("relevant", "labelled"))
        yield from (Word.model_validate({"text": text, **row}) for row in shares.to_dicts())


def overlaps(frame: pl.DataFrame, texts: Texts) -> Iterator[Overlap]:
    """Yield what the words of the query and of its translation share with those of the target."""
    share = pl.col("jaccard")
    measures = {"pairs": pl.len(), "mean": share.mean(), "median": share.median(), "any_share": (share > 0).mean()}
    for text in (text for text in texts if text in ("query", "translation")):
        rows = frame.drop_nulls(texts[text])
        shared = rows.select("language", "label", overlap(rows[texts[text]], rows["target"], words)["jaccard"])
        found = sliced(shared, [["label"], ["language"], ["language", "label"]], measures)
        yield from (Overlap.model_validate({"text": text, **row}) for row in found.to_dicts())


def fertility(sized: pl.DataFrame, texts: Texts) -> Iterator[Fertility]:
    """Yield the tokens per word and character of each text, and of queries by language; nothing without tokens."""
    for text, column in texts.items():
        if f"{text} tokens" not in sized.columns:
            continue
        sums = {unit: pl.col(f"{text} {unit}").sum() for unit in UNITS}
        distinct = sized.drop_nulls(column).unique([column, "language"])
        found = [distinct.unique(column).select(pl.len().alias("texts"), **sums)]
        if text == "query":
            found.append(distinct.group_by("language").agg(pl.len().alias("texts"), **sums).sort("language"))
        shares = pl.concat(found, how="diagonal").with_columns(
            tokens_per_word=ratio("tokens", "words"), tokens_per_character=ratio("tokens", "characters")
        )
        yield from (Fertility.model_validate({"text": text, "language": None, **row}) for row in shares.to_dicts())


def sliced(rows: pl.DataFrame, slices: Sequence[list[str]], measures: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Return the measures of all rows, whose `language` and `label` are null, and of the rows of each slice."""
    found = [rows.select(language=None, label=None, **measures)]
    found += [rows.drop_nulls(keys).group_by(keys).agg(**measures).sort(keys) for keys in slices]
    return pl.concat(found, how="diagonal_relaxed")


def ratio(part: str, whole: str) -> pl.Expr:
    """Return one column by another, null where there is no whole."""
    return (pl.col(part) / pl.col(whole)).fill_nan(None)
