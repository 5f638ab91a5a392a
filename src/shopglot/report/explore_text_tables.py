"""The tables of an exploration that are about texts."""

from collections.abc import Iterable, Sequence

from shopglot.report.exploration import Bin, Fertility, Length, Overlap, Word
from shopglot.report.explore_tables import isolated, share, span
from shopglot.report.figures import DASH, count, percent
from shopglot.report.sections import Row, Table


def length_table(lengths: Iterable[Length], caption: str) -> Table:
    """Return how long texts are, a row per text and slice."""
    rows = [
        Row(
            slice_name(each),
            (
                count(each.pairs),
                f"{each.mean:,.1f}",
                *map(_size, (each.minimum, each.p25, each.median, each.p75, each.p95, each.p99, each.maximum)),
            ),
        )
        for each in lengths
    ]
    columns = ("text", "pairs", "mean", "least", "25 %", "median", "75 %", "95 %", "99 %", "most")
    return Table(caption, columns, tuple(rows))


def bin_table(bins: Sequence[Bin]) -> Table:
    """Return the histogram of a text's characters."""
    rows = [Row(span(each.start, each.end), (count(each.pairs),)) for each in bins]
    return Table(f"Pairs by length of the {bins[0].text}", ("characters", "pairs"), tuple(rows))


def word_table(words: Sequence[Word]) -> Table:
    """Return the top words of a text."""
    rows = [Row(isolated(each.word), (count(each.pairs), share(each.relevant_share))) for each in words]
    return Table(f"Top words of the {words[0].text}", ("word", "pairs", "relevant %"), tuple(rows))


def language_word_table(words: Sequence[Word]) -> Table:
    """Return the top words of queries, a row per language."""
    languages = list(dict.fromkeys(each.language for each in words if each.language))
    rows = [
        Row(language, (", ".join(f"{isolated(w.word)} {count(w.pairs)}" for w in words if w.language == language),))
        for language in languages
    ]
    return Table("Top words of the query by language", ("language", "words and their pairs"), tuple(rows))


def overlap_table(overlaps: Sequence[Overlap], caption: str) -> Table:
    """Return the Jaccard index of words, a row per text and slice."""
    rows = [
        Row(slice_name(each), (count(each.pairs), f"{each.mean:.4f}", f"{each.median:.4f}", percent(each.any_share)))
        for each in overlaps
    ]
    return Table(caption, ("text", "pairs", "mean", "median", "any word %"), tuple(rows))


def fertility_table(fertility: Sequence[Fertility]) -> Table:
    """Return what the tokenizer makes of each text, and of queries by language."""
    rows = [
        Row(
            ", ".join(filter(None, (each.text, each.language))),
            (
                *map(count, (each.texts, each.tokens, each.words, each.characters)),
                DASH if each.tokens_per_word is None else f"{each.tokens_per_word:.2f}",
                f"{each.tokens_per_character:.3f}",
            ),
        )
        for each in fertility
    ]
    columns = ("text", "distinct texts", "tokens", "words", "characters", "tokens per word", "tokens per character")
    return Table("Fertility", columns, tuple(rows))


def slice_name(length: Length | Overlap) -> str:
    """Return which texts a length or an overlap is of."""
    label = None if length.label is None else ("irrelevant", "relevant")[length.label]
    return ", ".join(part for part in (length.text, length.language, label) if part)


def _size(length: float) -> str:
    return f"{length:,.1f}".removesuffix(".0")
