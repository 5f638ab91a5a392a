"""Which words a probability rests on, found by leaving each of them out."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scorer
from shopglot.report.figures import decimal

_FIELDS: Final = ("query", "english", "target")
_UNSPACED: Final = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_PIECES: Final = (
    r"[\p{Katakana}ー]+"  # a loanword
    rf"|(?:[{_UNSPACED}]\p{{M}}*){{1,2}}"  # two letters with their marks, where no space says what a word is
    rf"|[[\p{{L}}\p{{M}}\p{{N}}]--[\p{{Katakana}}ー{_UNSPACED}]]+"
    r"|(?s)."
)
_WORD: Final = r"[\p{L}\p{N}]"
_BAR: Final = 24


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """The probability of a pair, and what became of it without each of its words.

    `words` has the columns field ("query", "english" or "target"), word, without (the probability when the word is
    left out) and drop (how much less that is), in the order of the text.
    """

    probability: float
    words: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Variant:
    """A pair without one word of one of its texts."""

    field: str
    word: str
    pair: Pair


def attribute(scorer: Scorer, pair: Pair) -> Attribution:
    """Return how much the score of `pair` drops when each word is left out of it (occlusion, Zeiler and Fergus 2014).

    All variants are scored at once. A word may count for nothing because another says the same; then it is leaving
    out both that would tell.
    """
    variants = without_each_word(pair)
    whole, *without = scorer.score(Pairs.of([pair, *(each.pair for each in variants)])).tolist()
    return attributed(whole, variants, without)


def without_each_word(pair: Pair) -> list[Variant]:
    """Return the variants of a pair, in the order of its texts.

    Scripts without spaces are taken two letters at a time, and katakana by the run.
    """
    return [
        Variant(field, word, Pair(**(asdict(pair) | {field: rest, "id": None})))
        for field in _FIELDS
        for word, rest in _left_out(getattr(pair, field) or "")
    ]


def attributed(probability: float, variants: Sequence[Variant], without: Iterable[float]) -> Attribution:
    """Return what became of a pair's probability in each of its variants, whose own are `without`."""
    rows = [(each.field, each.word, score, probability - score) for each, score in zip(variants, without, strict=True)]
    schema = {"field": pl.String, "word": pl.String, "without": pl.Float64, "drop": pl.Float64}
    return Attribution(probability, pl.DataFrame(rows, schema=schema, orient="row"))


def console_attribution(attribution: Attribution, threshold: float) -> Table:
    """Return the words with their drops as bars, for `rich.console.Console.print`."""
    decided = "relevant" if attribution.probability >= threshold else "irrelevant"
    table = Table(
        title=f"{decided}: probability {decimal(attribution.probability)}, threshold {decimal(threshold)}",
        caption="█ speaks for relevance, ░ against it",
        box=SIMPLE_HEAD,
    )
    for column in ("text", "word", "drop", ""):
        table.add_column(column, justify="right" if column == "drop" else "left", no_wrap=True)
    longest = attribution.words["drop"].abs().max()
    for field, word, _, drop in attribution.words.iter_rows():
        bar = ("█" if drop > 0 else "░") * (round(_BAR * abs(drop) / longest) if longest else 0)
        table.add_row(field, Text(word), decimal(drop), bar)
    return table


def _left_out(text: str) -> list[tuple[str, str]]:
    """Return each word of a text with the text that is left without it.

    >>> _left_out("dog bed")
    [('dog', ' bed'), ('bed', 'dog ')]
    """
    pieces = pl.select(pl.lit(text).str.extract_all(_PIECES)).to_series()[0].to_list()
    words = pl.Series(pieces, dtype=pl.String).str.contains(_WORD).to_list()
    return [
        (piece, "".join(pieces[:place] + pieces[place + 1 :]))
        for place, (piece, is_word) in enumerate(zip(pieces, words, strict=True))
        if is_word
    ]
