"""The exploration people read, as one HTML file that needs nothing beside itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from shopglot.core.errors import RecipeError
from shopglot.core.files import require_own_folder, whole_file, write_json
from shopglot.report import explore_tables as tables
from shopglot.report import figures
from shopglot.report.charts import Bar, Dot, bar_chart, column_chart, dot_chart
from shopglot.report.exploration import Exploration, Length, TaskExploration
from shopglot.report.render import render
from shopglot.report.sections import Table

JSON_NAME: Final = "explore.json"
PAGE_NAME: Final = "explore.html"


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


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: what it says, how it shows a task, and what it says where there is nothing to show."""

    key: str
    title: str
    lead: str
    shown: Callable[[TaskExploration], Iterable[Shown]]
    absent: str


_MOST_ROWS: Final = 14
_MOST_NAMES: Final = 4


def check_exploration(out: Path, inputs: Iterable[Path]) -> None:
    """Raise RecipeError where an exploration would be written among other files or over one of its inputs."""
    require_own_folder(out, JSON_NAME)
    for file in inputs:
        if file.resolve().parent == out.resolve():
            raise RecipeError(f"{file} stands in {out} itself; name another folder with --out")


def write_exploration(found: Exploration, out: Path) -> None:
    """Write `explore.json` and the self-contained page `explore.html` into the folder `out`."""
    page = exploration_page(found)
    write_json(out / JSON_NAME, found.model_dump(mode="json"))
    with whole_file(out / PAGE_NAME) as part:
        part.write_text(page, encoding="utf-8")


def exploration_page(found: Exploration) -> str:
    """Return the exploration as HTML without scripts, fonts or pictures from elsewhere."""
    names = [Path(file).name for file in found.origin.files]
    view = {
        "title": ", ".join(names) if len(names) <= _MOST_NAMES else f"{names[0]} and {len(names) - 1} other files",
        "found": found,
        "origin": tables.origin_table(found),
        "figures": figures,
        "sections": [(section, dict(_by_task(section, found))) for section in SECTIONS],
    }
    return render("explore.html.j2", view)


def _by_task(section: Section, found: Exploration) -> Iterator[tuple[str, list[Shown]]]:
    for task, each in found.tasks.items():
        shown = [_captioned(part, task) for part in section.shown(each) if part.table.rows]
        if shown:
            yield figures.task_name(task), shown


def _captioned(shown: Shown, task: str) -> Shown:
    """Name the task in the caption, so that no two tables of the page have one name."""
    return replace(shown, table=replace(shown.table, caption=f"{task}: {shown.table.caption}"))


def _languages(found: TaskExploration) -> Iterator[Shown]:
    bars = [Bar(each.language, each.corrected, each.named) for each in found.languages]
    yield Shown(tables.language_table(found.languages), bar_chart(bars, "pairs"), "corrected", "as named")
    yield Shown(tables.correction_table(found.corrections), kind="facts")


def _labels(found: TaskExploration) -> Iterator[Shown]:
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


def _lengths(found: TaskExploration) -> Iterator[Shown]:
    for text in dict.fromkeys(each.text for each in found.bins):
        bins = [each for each in found.bins if each.text == text]
        width = (bins[0].end or 0) + 1
        columns = [(each.start, each.start + width, each.pairs) for each in bins]
        chart = column_chart(columns, (f"characters of the {text}", "pairs"))
        yield Shown(tables.bin_table(bins), chart, "pairs; the last column holds all longer ones")
    for unit in ("characters", "words"):
        by_label = [each for each in found.lengths if each.unit == unit and each.language is None]
        yield _spread(by_label, f"Length in {unit} by label")
    by_language = [each for each in found.lengths if each.unit == "characters" and each.language]
    for text in dict.fromkeys(each.text for each in by_language):
        of_text = [each for each in by_language if each.text == text]
        yield _spread(of_text, f"Characters of the {text} by the query's language")


def _spread(lengths: Sequence[Length], caption: str) -> Shown:
    dots = [Dot(tables.slice_name(each), each.median, each.p25, each.p75, each.mean) for each in lengths]
    chart = dot_chart(dots, lengths[0].unit)
    return Shown(tables.length_table(lengths, caption), chart, "median, on the middle half", "mean", ("●", "◇"))


def _words(found: TaskExploration) -> Iterator[Shown]:
    for text in dict.fromkeys(each.text for each in found.words):
        words = [each for each in found.words if each.text == text and each.language is None]
        chart = bar_chart([Bar(each.word, each.pairs) for each in words], "pairs")
        yield Shown(tables.word_table(words), chart, "pairs")
    yield Shown(tables.language_word_table([each for each in found.words if each.language]), kind="facts")


def _overlaps(found: TaskExploration) -> Iterator[Shown]:
    every = [each for each in found.overlaps if each.language is None]
    by_label = {(each.text, each.label): each.mean for each in every}
    texts = list(dict.fromkeys(each.text for each in every))
    if found.labelled:
        bars = [Bar(text, by_label.get((text, 1), 0.0), by_label.get((text, 0))) for text in texts]
        chart, marks = bar_chart(bars, "mean word Jaccard"), ("relevant", "irrelevant")
    else:
        chart, marks = (
            bar_chart([Bar(text, by_label[text, None]) for text in texts], "mean word Jaccard"),
            ("pairs", ""),
        )
    yield Shown(tables.overlap_table(every, "Words shared with the target"), chart, *marks)
    for text in texts:
        of_text = [each for each in found.overlaps if each.text == text and each.language]
        yield Shown(tables.overlap_table(of_text, f"Words of the {text} shared with the target, by language"))


def _queries(found: TaskExploration) -> Iterator[Shown]:
    queries = found.queries
    bars = [
        Bar(tables.span(each.fewest, each.most), 100 * each.pairs_share, 100 * each.queries_share)
        for each in queries.repetitions
    ]
    chart = bar_chart(bars, "% of all")
    yield Shown(tables.repetition_table(queries), chart, "share of the pairs", "share of the queries")
    yield Shown(tables.query_table(queries))


def _tree(found: TaskExploration) -> Iterator[Shown]:
    if (tree := found.tree) is None:
        return
    bars = [Bar(str(each.depth), 100 * each.pairs_share, 100 * each.paths_share) for each in tree.depths]
    chart = bar_chart(bars, "% of all")
    yield Shown(tables.depth_table(tree), chart, "share of the pairs", "share of the paths")
    bars = [Bar(str(each.level), each.nodes) for each in tree.levels]
    yield Shown(tables.level_table(tree), bar_chart(bars, "categories"), "categories of the level")
    bars = [Bar(each.name, each.pairs) for each in tree.branches]
    yield Shown(tables.branch_table(tree), bar_chart(bars, "pairs"), "pairs")


def _duplicates(found: TaskExploration) -> Iterator[Shown]:
    yield Shown(tables.duplicate_table(found.duplicates), kind="facts")
    yield Shown(tables.contradiction_table(found.duplicates), kind="facts")


def _tokens(found: TaskExploration) -> Iterator[Shown]:
    spoken = [each for each in found.fertility if each.language]
    if not found.fertility:
        return
    bars = [Bar(each.language or "", each.tokens_per_word or 0.0) for each in spoken]
    yield Shown(tables.fertility_table(found.fertility), bar_chart(bars, "tokens per word of a query"), "queries")
    tokens = [each for each in found.lengths if each.unit == "tokens"]
    yield _spread([each for each in tokens if each.language is None], "Tokens by label")
    yield _spread(
        [each for each in tokens if each.language and each.text == "query"], "Tokens of the query by language"
    )


def _against(found: TaskExploration) -> Iterator[Shown]:
    if found.against is not None:
        bars = [
            Bar(f"{each.what}, {each.where}", 100 * each.unseen_pairs_share, 100 * each.unseen_share)
            for each in found.against
        ]
        chart = bar_chart(bars, "% that the other files lack")
        yield Shown(tables.unseen_table(found.against), chart, "share of the pairs", "share of the distinct values")


SECTIONS: Final = (
    Section(
        "languages",
        "Languages",
        "As the files name it, and corrected where the script, or the words by wide odds, say another one.",
        _languages,
        "",
    ),
    Section("labels", "Labels", "1 is relevant, 0 is irrelevant.", _labels, "No pair of these files has a label."),
    Section(
        "lengths",
        "Lengths",
        "Of the clean texts. Where words are written without spaces, a run of letters counts as one word.",
        _lengths,
        "",
    ),
    Section("words", "Top words", "A word counts once per pair; the shortest are left out.", _words, ""),
    Section(
        "overlap",
        "Word overlap",
        "The Jaccard index: the distinct words that query and target share, among all that either has.",
        _overlaps,
        "",
    ),
    Section(
        "queries", "Repeated queries", "A query that stands in many pairs weighs more in every figure.", _queries, ""
    ),
    Section(
        "taxonomy",
        "Taxonomy",
        "The part of the tree that the paths of these files show.",
        _tree,
        "No pair of these files has a category path.",
    ),
    Section(
        "duplicates",
        "Duplicates and contradictions",
        "Counted as `curate` settles them; nothing is dropped here.",
        _duplicates,
        "",
    ),
    Section(
        "tokens",
        "Tokens",
        "Without the special tokens that a model adds. Fertility is the mean number of tokens of a word.",
        _tokens,
        "No tokenizer was named; --tokenizer names one.",
    ),
    Section(
        "against",
        "Against other files",
        "What a model that learned from some files has not seen of the others.",
        _against,
        "No other files were given with pairs of the same task; --against names them.",
    ),
)
