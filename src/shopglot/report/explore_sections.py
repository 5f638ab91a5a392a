"""The pictures of an exploration with their tables, one function per section of the page."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shopglot.report import explore_tables as tables
from shopglot.report import explore_text_tables as text_tables
from shopglot.report.charts import Bar, Dot, bar_chart, column_chart, dot_chart
from shopglot.report.exploration import Length, Overlap, TaskExploration
from shopglot.report.sections import Table

_MOST_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A table, and its picture where it has one with what its full and hollow marks stand for."""

    table: Table
    svg: str | None = None
    full: str = ""
    hollow: str = ""
    marks: tuple[str, str] = ("■", "□")
    kind: Literal["figures", "facts"] = "figures"

    @property
    def long(self) -> bool:
        """Whether the table is folded beside its picture."""
        return self.svg is not None and len(self.table.rows) > _MOST_ROWS


def languages(found: TaskExploration) -> Iterator[Shown]:
    """Yield the languages before and after correction, and what was corrected."""
    bars = [Bar(each.language, each.corrected, each.named) for each in found.languages]
    yield Shown(tables.language_table(found.languages), bar_chart(bars, "pairs"), "corrected", "as named")
    yield Shown(tables.correction_table(found.corrections), kind="facts")


def labels(found: TaskExploration) -> Iterator[Shown]:
    """Yield the labels, over all and by language, where there are any."""
    if found.labelled:
        every, *languages = found.labels
        chart = bar_chart([Bar("relevant", every.relevant), Bar("irrelevant", every.irrelevant)], "pairs")
        yield Shown(tables.label_table([every], "Pairs by label"), chart, "pairs")
        bars = [Bar(each.language or "", each.relevant, each.irrelevant) for each in languages]
        yield Shown(
            tables.label_table(languages, "Pairs by label and language"),
            bar_chart(bars, "pairs"),
            "relevant",
            "irrelevant",
        )


def lengths(found: TaskExploration) -> Iterator[Shown]:
    """Yield how long texts are: all of them, by label, and queries by language."""
    for text in dict.fromkeys(each.text for each in found.bins):
        bins = [each for each in found.bins if each.text == text]
        width = (bins[0].end or 0) + 1
        columns = [(each.start, each.start + width, each.pairs) for each in bins]
        chart = column_chart(columns, (f"characters of the {text}", "pairs"))
        yield Shown(text_tables.bin_table(bins), chart, "pairs; the last column holds all longer ones")
    for unit in ("characters", "words"):
        by_label = [each for each in found.lengths if each.unit == unit and each.language is None]
        yield _spread(by_label, f"Length in {unit} by label")
    queries = [each for each in found.lengths if each.text == "query" and each.language]
    yield _spread([each for each in queries if each.unit == "characters"], "Length of the query by language")


def _spread(lengths: Sequence[Length], caption: str) -> Shown:
    dots = [Dot(text_tables.slice_name(each), each.median, each.p25, each.p75, each.mean) for each in lengths]
    chart = dot_chart(dots, lengths[0].unit)
    return Shown(text_tables.length_table(lengths, caption), chart, "median, on the middle half", "mean", ("●", "◇"))


def words(found: TaskExploration) -> Iterator[Shown]:
    """Yield the words that most pairs have."""
    for text in dict.fromkeys(each.text for each in found.words):
        words = [each for each in found.words if each.text == text and each.language is None]
        chart = bar_chart([Bar(each.word, each.pairs) for each in words], "pairs")
        yield Shown(text_tables.word_table(words), chart, "pairs")
    yield Shown(text_tables.language_word_table([each for each in found.words if each.language]), kind="facts")


def overlaps(found: TaskExploration) -> Iterator[Shown]:
    """Yield what queries and translations share with targets, over all and by language."""
    every = [each for each in found.overlaps if each.language is None]
    yield _overlap(every, "Words shared with the target", lambda each: each.text)
    for text in dict.fromkeys(each.text for each in every):
        spoken = [each for each in found.overlaps if each.text == text and each.language]
        by_label = [each for each in spoken if each.label is not None] or spoken
        yield _overlap(by_label, f"Words of the {text} shared with the target", lambda each: each.language or "")


def _overlap(overlaps: Sequence[Overlap], caption: str, name: Callable[[Overlap], str]) -> Shown:
    means = {(name(each), each.label): each.mean for each in overlaps}
    names, labelled = dict.fromkeys(map(name, overlaps)), any(each.label is not None for each in overlaps)
    pairs = [(each, means.get((each, 1 if labelled else None), 0.0), means.get((each, 0))) for each in names]
    chart = bar_chart([Bar(*each) for each in pairs], "mean word Jaccard")
    marks = ("relevant", "irrelevant") if labelled else ("pairs", "")
    return Shown(text_tables.overlap_table(overlaps, caption), chart, *marks)


def queries(found: TaskExploration) -> Iterator[Shown]:
    """Yield how often queries repeat."""
    queries = found.queries
    bars = [
        Bar(tables.span(each.fewest, each.most), 100 * each.pairs_share, 100 * each.queries_share)
        for each in queries.repetitions
    ]
    chart = bar_chart(bars, "% of all")
    yield Shown(tables.repetition_table(queries), chart, "share of the pairs", "share of the queries")
    yield Shown(tables.query_table(queries))


def tree(found: TaskExploration) -> Iterator[Shown]:
    """Yield depth and breadth of the tree, where there are category paths."""
    if (tree := found.tree) is None:
        return
    bars = [Bar(str(each.depth), 100 * each.pairs_share, 100 * each.paths_share) for each in tree.depths]
    chart = bar_chart(bars, "% of all")
    yield Shown(tables.depth_table(tree), chart, "share of the pairs", "share of the paths")
    bars = [Bar(str(each.level), each.nodes) for each in tree.levels]
    yield Shown(tables.level_table(tree), bar_chart(bars, "categories"), "categories of the level")
    bars = [Bar(each.name, each.pairs) for each in tree.branches]
    yield Shown(tables.branch_table(tree), bar_chart(bars, "pairs"), "pairs")


def duplicates(found: TaskExploration) -> Iterator[Shown]:
    """Yield the pairs that say the same, or the opposite."""
    yield Shown(tables.duplicate_table(found.duplicates), kind="facts")
    yield Shown(tables.contradiction_table(found.duplicates), kind="facts")


def tokens(found: TaskExploration) -> Iterator[Shown]:
    """Yield what a tokenizer makes of the texts, where one was named."""
    spoken = [each for each in found.fertility if each.language]
    if not found.fertility:
        return
    bars = [Bar(each.language or "", each.tokens_per_word or 0.0) for each in spoken]
    yield Shown(text_tables.fertility_table(found.fertility), bar_chart(bars, "tokens per word of a query"), "queries")
    tokens = [each for each in found.lengths if each.unit == "tokens"]
    yield _spread([each for each in tokens if each.language is None], "Tokens by label")
    yield _spread(
        [each for each in tokens if each.language and each.text == "query"], "Tokens of the query by language"
    )


def against(found: TaskExploration) -> Iterator[Shown]:
    """Yield what either side of the files lacks, where there are others."""
    if found.against is not None:
        bars = [
            Bar(tables.unseen_name(each), 100 * each.unseen_pairs_share, 100 * each.unseen_share)
            for each in found.against
        ]
        chart = bar_chart(bars, "% that the other files lack")
        yield Shown(tables.unseen_table(found.against), chart, "share of the pairs", "share of the distinct values")
        yield Shown(tables.unseen_example_table(found.against), kind="facts")
