"""A row of a file becomes a pair, or is given a reason why it cannot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from shopglot.core.category import MAX_DEPTH, levels
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import OWN
from shopglot.curate.layouts import layout_of
from shopglot.curate.raw import RawTable
from shopglot.curate.settings import CurateSettings

_PARTS: Final = ("query", *TASKS, "id", "task", "language", "english", "label", "concept", "annotator", "weight")
_UNREADABLE: Final = -1


def as_pairs(table: RawTable, settings: CurateSettings, task: Task | None, *, training: bool) -> pl.DataFrame:
    """Return one row per row of `table`: the core columns, the `own:` columns, and file, line, text and reason.

    Texts are as they stand in the file. `reason` says why a row cannot be read as a pair and is null for the others;
    a label that cannot be read is a reason in training only. Raises DataError when no layout has these columns.
    """
    layout = layout_of(table)
    columns = {part: column for part, column in layout.columns.items() if column in table.rows.columns}
    labels = layout.labels(settings)
    word = pl.col("label").str.strip_suffix(".0")
    given = _given(table, columns).with_columns(
        task=_task(columns, task),
        code=word.replace_strict({None: None, **labels}, default=_UNREADABLE, return_dtype=pl.Int8),
        number=pl.col("weight").cast(pl.Float64, strict=False),
    )
    position = pl.format("{}:{}", pl.lit(Path(table.file).name), "line")
    core = given.select(
        id=pl.format("{}-{}", "task", "id" if "id" in columns else position),
        task="task",
        query="query",
        target=pl.when(pl.col("task") == "QC").then("QC").otherwise("QI"),
        language=pl.col("language").fill_null(pl.lit(layout.language, dtype=pl.String)),
        english="english",
        label=pl.when(pl.col("code") != _UNREADABLE).then("code"),
        concept="concept",
        annotator="annotator",
        weight="number",
        file=pl.lit(table.file),
        line="line",
        text="text",
        reason=pl.coalesce(_faults(columns, labels, training=training)),
    )
    return pl.concat([core, table.rows.select(pl.all().name.prefix(OWN))], how="horizontal")


def _given(table: RawTable, columns: Mapping[str, str]) -> pl.DataFrame:
    """Return the parts as text, null where blank: a separated file has no other way to leave a field out."""
    texts = {part: pl.lit(None, dtype=pl.String) for part in _PARTS}
    for part, column in columns.items():
        text = pl.col(column).cast(pl.String)
        texts[part] = pl.when(text.str.strip_chars() != "").then(text)
    return table.rows.select(**texts).with_columns(line=table.lines, text=table.texts)


def _task(columns: Mapping[str, str], task: Task | None) -> pl.Expr:
    """The task that a row names, else the one whose target it has, else the one that was asked for."""
    here = [pl.lit(kind) for kind in TASKS if kind in columns]
    if len(here) == 1:
        return pl.coalesce("task", here[0])
    category, item = pl.col("QC").is_not_null(), pl.col("QI").is_not_null()
    found = pl.when(category & ~item).then(pl.lit("QC")).when(item & ~category).then(pl.lit("QI"))
    return pl.coalesce("task", found.otherwise(pl.lit(task, dtype=pl.String)))


def _faults(columns: Mapping[str, str], labels: Mapping[str, int], *, training: bool) -> list[pl.Expr]:
    """What makes a row unreadable; the first that holds is its reason."""
    task, number, names = pl.col("task"), pl.col("number"), levels(pl.col("QC"))
    category = (task == "QC") & pl.col("QC").is_not_null()
    absent = {
        part: pl.col(part).is_null() & ~pl.col("text").str.contains(f'"{column}"', literal=True)
        for part, column in columns.items()
    }  # only a JSON row can lack a field; an empty or null one is there, and the cleaning flags it
    wrong_label = pl.lit(training) & (pl.col("code") == _UNREADABLE)
    wrong_weight = pl.col("weight").is_not_null() & ~(number.is_finite() & (number >= 0)).fill_null(value=False)
    empty_level = names.list.eval(pl.element().str.strip_chars().str.contains("^$|^,|,$")).list.any()
    faults = [
        (~task.is_in(TASKS), pl.format("the task {} is neither QC nor QI", task)),
        (task.is_null(), pl.lit("no task is named, and there is not one target but none or two")),
        (absent["query"], pl.lit(f"no field {columns['query']!r}")),
        *(((task == kind) & absent[kind], pl.lit(f"no field {columns[kind]!r}")) for kind in TASKS if kind in columns),
        (pl.lit("id" in columns) & pl.col("id").is_null(), pl.lit("no id")),
        (wrong_label, pl.format("the label {} is not " + " or ".join(labels), "label")),
        (wrong_weight, pl.format("the weight {} is not a number from 0 up", "weight")),
        (category & empty_level, pl.lit("a level of the category path is empty")),
        (category & (names.list.len() > MAX_DEPTH), pl.lit(f"the category path has more than {MAX_DEPTH} levels")),
    ]
    return [pl.when(holds).then(reason) for holds, reason in faults]
