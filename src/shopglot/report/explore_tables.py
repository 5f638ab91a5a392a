"""The tables of an exploration as text, one function per table."""

from collections.abc import Iterable, Sequence
from typing import Final

from shopglot.report.exploration import (
    Correction,
    Duplicates,
    Exploration,
    LabelCount,
    LanguageCount,
    Queries,
    Tree,
    Unseen,
)
from shopglot.report.figures import DASH, count, percent
from shopglot.report.sections import Row, Table

_SHOWN_EXAMPLES: Final = 5


def origin_table(found: Exploration) -> Table:
    """Return where the pairs come from, and which rows were left out for what."""
    origin = found.origin
    rows = [
        Row("files", (_listed(origin.files),)),
        *([Row("against", (_listed(origin.against),))] if origin.against else []),
        Row("rows", (count(origin.rows),)),
        *(
            Row(f"left out: {each.reason}", (count(each.rows) + (f", first {each.first}" if each.first else ""),))
            for each in origin.left_out
        ),
        Row("language correction", ("yes" if origin.corrected else "no",)),
        Row("tokenizer", (origin.tokenizer or "none",)),
        *([Row("queries in both tasks", (count(found.shared_queries),))] if len(found.tasks) > 1 else []),
    ]
    return Table("Files", ("name", "value"), tuple(rows))


def language_table(languages: Sequence[LanguageCount]) -> Table:
    """Return the pairs of each language as the files name it, and after correction."""
    rows = [Row(each.language, (count(each.named), count(each.corrected))) for each in languages]
    return Table("Pairs by language", ("language", "as named", "corrected"), tuple(rows))


def correction_table(corrections: Sequence[Correction]) -> Table:
    """Return which languages took the place of which, with examples."""
    rows = [
        Row(
            f"{each.named} → {each.corrected}",
            (count(each.pairs), count(each.queries), _listed(each.examples[:_SHOWN_EXAMPLES])),
        )
        for each in corrections
    ]
    return Table("Suspected wrong language labels", ("named → written", "pairs", "queries", "such as"), tuple(rows))


def label_table(labels: Sequence[LabelCount], caption: str) -> Table:
    """Return the pairs of each label, over all or by language."""
    rows = [
        Row(
            each.language or "all",
            (count(each.irrelevant), count(each.relevant), count(each.unlabelled), share(each.relevant_share)),
        )
        for each in labels
    ]
    columns = ("language", "irrelevant", "relevant", "no label", "relevant %")
    return Table(caption, columns, tuple(rows))


def repetition_table(queries: Queries) -> Table:
    """Return how many queries stand in how many pairs."""
    rows = [
        Row(
            span(each.fewest, each.most),
            (count(each.queries), percent(each.queries_share), count(each.pairs), percent(each.pairs_share)),
        )
        for each in queries.repetitions
    ]
    columns = ("pairs of a query", "queries", "queries %", "pairs", "pairs %")
    return Table("Queries by their number of pairs", columns, tuple(rows))


def span(first: int, last: int | None) -> str:
    """Return a range of whole numbers.

    >>> span(1, 1), span(6, 10), span(51, None)
    ('1', '6–10', '51 or more')
    """
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first}–{last}"


def query_table(queries: Queries) -> Table:
    """Return the queries with the most pairs."""
    rows = [Row(isolated(each.query), (count(each.pairs), share(each.relevant_share))) for each in queries.most]
    return Table("Queries with the most pairs", ("query", "pairs", "relevant %"), tuple(rows))


def depth_table(tree: Tree) -> Table:
    """Return the paths of each depth."""
    rows = [
        Row(
            str(each.depth),
            (
                count(each.paths),
                percent(each.paths_share),
                count(each.pairs),
                percent(each.pairs_share),
                share(each.relevant_share),
            ),
        )
        for each in tree.depths
    ]
    columns = ("levels", "paths", "paths %", "pairs", "pairs %", "relevant %")
    return Table("Category paths by depth", columns, tuple(rows))


def level_table(tree: Tree) -> Table:
    """Return the breadth of each level."""
    rows = [
        Row(
            str(each.level),
            (
                count(each.nodes),
                count(each.parents),
                DASH if each.mean_children is None else f"{each.mean_children:.1f}",
                count(each.most_children),
            ),
        )
        for each in tree.levels
    ]
    columns = ("level", "categories", "with children", "children, mean", "children, most")
    return Table("Breadth of the tree by level", columns, tuple(rows))


def branch_table(tree: Tree) -> Table:
    """Return the top levels with the most pairs."""
    rows = [
        Row(each.name, (count(each.paths), count(each.pairs), share(each.relevant_share))) for each in tree.branches
    ]
    columns = ("top level", "paths", "pairs", "relevant %")
    return Table("Top levels", columns, tuple(rows))


def duplicate_table(duplicates: Duplicates) -> Table:
    """Return how many pairs say the same as another, or the opposite."""
    rows = [
        Row("duplicates", (count(duplicates.duplicates), "the same query, target and label as an earlier pair")),
        Row("near duplicates", (count(duplicates.near_duplicates), "differ only in spaces, punctuation and accents")),
        Row("contradictory pairs", (count(duplicates.contradictory_pairs), "the same query and target, both labels")),
        Row("contradictions", (count(duplicates.contradictions), "queries with a target of both labels")),
    ]
    return Table("Duplicates and contradictions", ("kind", "pairs", "what it is"), tuple(rows))


def contradiction_table(duplicates: Duplicates) -> Table:
    """Return contradictions, those of the most pairs first."""
    rows = [
        Row(isolated(each.query), (isolated(each.target), count(each.relevant), count(each.irrelevant)))
        for each in duplicates.examples
    ]
    return Table("Contradictions, such as", ("query", "target", "relevant", "irrelevant"), tuple(rows))


def unseen_table(unseen: Sequence[Unseen]) -> Table:
    """Return what some files hold and others lack."""
    rows = [
        Row(
            unseen_name(each),
            (
                f"{count(each.unseen)} of {count(each.values)}",
                percent(each.unseen_share),
                count(each.unseen_pairs),
                percent(each.unseen_pairs_share),
            ),
        )
        for each in unseen
    ]
    columns = ("what, only in", "values", "values %", "pairs", "pairs %")
    return Table("What some files hold and the others lack", columns, tuple(rows))


def unseen_example_table(unseen: Sequence[Unseen]) -> Table:
    """Return values that some files hold and others lack, those of the most pairs first."""
    rows = [Row(unseen_name(each), (_listed(each.examples[:_SHOWN_EXAMPLES]),)) for each in unseen if each.examples]
    return Table("What only some files hold, such as", ("what, only in", "values"), tuple(rows))


def unseen_name(unseen: Unseen) -> str:
    """Return what the values are, and which files have them."""
    return f"{unseen.what}, {unseen.where}"


def isolated(text: str) -> str:
    """Return a text whose direction of writing does not touch what stands beside it (Unicode's isolates)."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def share(found: float | None) -> str:
    """Return a share in per cent, or a dash where there is nothing that it could be of."""
    return DASH if found is None else percent(found)


def _listed(texts: Iterable[str]) -> str:
    return " · ".join(map(isolated, texts)) or DASH
