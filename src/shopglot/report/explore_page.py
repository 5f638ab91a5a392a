"""The exploration people read, as one HTML file that needs nothing beside itself."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shopglot.core.errors import RecipeError
from shopglot.core.files import require_own_folder, whole_file, write_json
from shopglot.report import explore_sections as sections
from shopglot.report import explore_tables as tables
from shopglot.report import figures
from shopglot.report.exploration import Exploration, TaskExploration
from shopglot.report.explore_sections import Shown
from shopglot.report.render import render

JSON_NAME: Final = "explore.json"
PAGE_NAME: Final = "explore.html"
_MOST_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: what it says, how it shows a task, and what it says where there is nothing to show."""

    key: str
    title: str
    lead: str
    shown: Callable[[TaskExploration], Iterable[Shown]]
    absent: str


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


SECTIONS: Final = (
    Section(
        "languages",
        "Languages",
        "As the files name it, and corrected where the script, or the words by wide odds, say another one.",
        sections.languages,
        "",
    ),
    Section(
        "labels",
        "Labels",
        "Where the share of relevant pairs differs much, F1 of one language says little of another.",
        sections.labels,
        "No pair of these files has a label.",
    ),
    Section(
        "lengths",
        "Lengths",
        "Of the clean texts. Where words are written without spaces, a run of letters counts as one word.",
        sections.lengths,
        "",
    ),
    Section("words", "Top words", "A word counts once per pair; the shortest are left out.", sections.words, ""),
    Section(
        "overlap",
        "Word overlap",
        "The Jaccard index: the distinct words that query and target share, among all that either has.",
        sections.overlaps,
        "",
    ),
    Section(
        "queries",
        "Repeated queries",
        "A query that stands in many pairs weighs more in every figure.",
        sections.queries,
        "",
    ),
    Section(
        "taxonomy",
        "Taxonomy",
        "The part of the tree that the paths of these files show.",
        sections.tree,
        "No pair of these files has a category path.",
    ),
    Section(
        "duplicates",
        "Duplicates and contradictions",
        "As the cleaning before training counts them; nothing is dropped here.",
        sections.duplicates,
        "",
    ),
    Section(
        "tokens",
        "Tokens",
        "Without the special tokens that a model adds. Fertility is tokens per word; tokens per character also compare "
        "languages that write no spaces.",
        sections.tokens,
        "No tokenizer was named; --tokenizer names one.",
    ),
    Section(
        "against",
        "Against other files",
        "What a model that learned from one side has not seen of the other.",
        sections.against,
        "No other files were given with pairs of the same task; --against names them.",
    ),
)
