"""Clean pairs become the figures of their exploration."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.pair import Task
from shopglot.core.pairs import SCHEMA, Pairs
from shopglot.curate.clean import BLOCKING_FLAGS
from shopglot.curate.duplicates import settle_duplicates
from shopglot.curate.settings import CurateSettings
from shopglot.report.exploration import (
    Contradiction,
    Correction,
    Duplicates,
    Exploration,
    LabelCount,
    LanguageCount,
    Queries,
    QueryCount,
    Repetition,
    TaskExploration,
)
from shopglot.report.explore_categories import tree, unseen
from shopglot.report.explore_origin import Origin, Reason
from shopglot.report.explore_texts import (
    LABELS,
    Texts,
    fertility,
    length_bins,
    lengths,
    overlaps,
    ratio,
    sliced,
    top_words,
    with_sizes,
)

_EXAMPLES: Final = 20
_UNKNOWN: Final = "unknown"
_REPETITIONS: Final = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, 50), (51, None))


def explore_pairs(
    pairs: Pairs, named: pl.Series, origin: Origin, *, against: Pairs | None = None, tokens: pl.DataFrame | None = None
) -> Exploration:
    """Return the figures of clean pairs; rows without a text to judge are only counted.

    `named` is the language of each pair as its file names it. `against` are the clean pairs of other files, and
    `tokens` has the columns `text` and `tokens` with a row for every distinct query, target and translation. Raises
    DataError where no pair has both a query and a target.
    """
    rows = _readable(pairs.frame.with_columns(named=named))
    if rows.is_empty():
        raise DataError(f"no row of {', '.join(origin.files)} has both a query and a target; check what wrote them")
    others = None if against is None else _readable(against.frame)
    flags = pairs["flag"].filter(pairs["flag"].is_in(BLOCKING_FLAGS)).value_counts(sort=True)
    left_out = [Reason(reason=reason, rows=count, first=None) for reason, count in flags.iter_rows()]
    tasks = rows.group_by("query").agg(pl.col("task").n_unique())["task"]
    return Exploration(
        origin=origin.model_copy(update={"left_out": (*origin.left_out, *left_out)}),
        shared_queries=int((tasks > 1).sum()),
        tasks={task: _task(task, rows, others, tokens) for task in Pairs(rows).tasks},
    )


def distinct_texts(pairs: Pairs) -> pl.Series:
    """Return every query, target and translation once, for a tokenizer to count."""
    texts = pl.concat([pairs[name].alias("text") for name in ("query", "target", "english")])
    return texts.drop_nulls().unique(maintain_order=True)


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    blocked = pl.col("flag").is_in(BLOCKING_FLAGS).fill_null(value=False)
    rows = frame.filter(~blocked).select(*SCHEMA, "^named$")
    return rows.with_columns(pl.col("language", "^named$").fill_null(_UNKNOWN))


def _task(
    task: Task, pairs: pl.DataFrame, against: pl.DataFrame | None, tokens: pl.DataFrame | None
) -> TaskExploration:
    rows = pairs.filter(pl.col("task") == task)
    others = None if against is None else against.filter(pl.col("task") == task)
    columns: Texts = {"query": "query", "path" if task == "QC" else "title": "target", "translation": "english"}
    texts: Texts = {text: column for text, column in columns.items() if rows[column].count()}
    sized = with_sizes(rows, texts, tokens)
    return TaskExploration(
        pairs=rows.height,
        targets=rows["target"].n_unique(),
        languages=tuple(_languages(rows)),
        corrections=tuple(_corrections(rows)),
        labels=tuple(_labels(rows)),
        lengths=tuple(lengths(sized, texts)),
        bins=tuple(length_bins(sized, texts)),
        words=tuple(top_words(rows, texts)),
        overlaps=tuple(overlaps(rows, texts)),
        queries=_queries(rows),
        tree=tree(rows) if task == "QC" else None,
        duplicates=_duplicates(rows),
        fertility=tuple(fertility(sized, texts)),
        against=tuple(unseen(task, rows, others)) if others is not None and others.height else None,
    )


def _languages(rows: pl.DataFrame) -> Iterator[LanguageCount]:
    sides = {"named": "named", "corrected": "language"}
    stacked = pl.concat(rows.select(language=column, side=pl.lit(side)) for side, column in sides.items())
    counts = stacked.group_by("language").agg(**{side: (pl.col("side") == side).sum() for side in sides})
    yield from (LanguageCount.model_validate(row) for row in counts.sort("language").to_dicts())


def _corrections(rows: pl.DataFrame) -> Iterator[Correction]:
    changed = rows.filter(pl.col("named") != pl.col("language")).group_by("named", corrected="language")
    query = pl.col("query").unique(maintain_order=True)
    kinds = changed.agg(pairs=pl.len(), queries=query.len(), examples=query.head(_EXAMPLES))
    ordered = kinds.sort("pairs", "named", "corrected", descending=[True, False, False])
    yield from (Correction.model_validate(row) for row in ordered.to_dicts())


def _labels(rows: pl.DataFrame) -> Iterator[LabelCount]:
    label = pl.col("label")
    measures = {"irrelevant": (label == 0).sum(), "relevant": (label == 1).sum(), "unlabelled": label.null_count()}
    counts = sliced(rows, [["language"]], {**measures, "labelled": label.count()})
    shares = counts.with_columns(relevant_share=ratio("relevant", "labelled"))
    yield from (LabelCount.model_validate(row) for row in shares.to_dicts())


def _queries(rows: pl.DataFrame) -> Queries:
    pairs, labelled, relevant = (pl.col(name) for name in ("pairs", "labelled", "relevant"))
    counts = rows.group_by("query").agg(**LABELS)
    top = counts.filter(pairs > 1).sort("pairs", "query", descending=[True, False]).head(_EXAMPLES)
    shares = top.with_columns(relevant_share=ratio("relevant", "labelled"))
    return Queries(
        distinct=counts.height,
        both_labels=counts.filter((relevant > 0) & (relevant < labelled)).height,
        repetitions=tuple(_repetition(counts["pairs"], fewest, most) for fewest, most in _REPETITIONS),
        most=tuple(QueryCount.model_validate(row) for row in shares.to_dicts()),
    )


def _repetition(pairs: pl.Series, fewest: int, most: int | None) -> Repetition:
    within = pairs.filter(pairs.is_between(fewest, pairs.max() if most is None else most))
    return Repetition(
        fewest=fewest,
        most=most,
        queries=within.len(),
        queries_share=within.len() / pairs.len(),
        pairs=int(within.sum()),
        pairs_share=int(within.sum()) / int(pairs.sum()),
    )


def _duplicates(rows: pl.DataFrame) -> Duplicates:
    settings = CurateSettings(duplicates="drop", near_duplicates="drop")
    _, dropped = settle_duplicates(Pairs(rows), settings)
    label = pl.col("label")
    judged = rows.drop_nulls("label").group_by("query", "target")
    counts = judged.agg(pairs=pl.len(), relevant=label.sum(), irrelevant=(label == 0).sum())
    disputed = counts.filter((pl.col("relevant") > 0) & (pl.col("irrelevant") > 0))
    top = disputed.sort("pairs", "query", "target", descending=[True, False, False]).head(_EXAMPLES)
    return Duplicates(
        duplicates=dropped["duplicates"],
        near_duplicates=dropped["near duplicates"],
        contradictions=disputed.height,
        contradictory_pairs=disputed["pairs"].sum(),
        examples=tuple(Contradiction.model_validate(row) for row in top.to_dicts()),
    )
