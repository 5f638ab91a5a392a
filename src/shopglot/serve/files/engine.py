"""Rows are scored, each distinct pair once."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.core.remembered import KEY, Remembered, in_order, keys_of
from shopglot.curate.prepare import curated
from shopglot.curate.raw import RawTable
from shopglot.curate.read import judged_rows
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided, Decider
from shopglot.pack.scored import scored_table
from shopglot.serve.files.settings import EngineSettings

_TEXTS: Final = ("task", "query", "english", "target")


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """What is decided about each row, and `learned`: the same of the pairs that were new, by their `KEY`."""

    decided: Decided
    learned: pl.DataFrame


class Engine:
    """Scores chunks of pairs; a pair that an earlier chunk had is not scored again, within what memory may hold.

    `decider` knows all category paths already, and `curate`, its own unless given, names the languages.
    """

    def __init__(
        self, decider: Decider, settings: EngineSettings | None = None, curate: CurateSettings | None = None
    ) -> None:
        """Begin without any memory."""
        settings = settings or EngineSettings()
        curate = curate or decider.curate
        if "language" not in decider.columns_read:  # telling languages takes longer than all else beside the model
            curate = curate.model_copy(update={"correct_language": False})
        self.decider, self.curate = decider, curate
        self.scores, self.languages = Remembered(settings.remember), Remembered(settings.remember)

    def score(self, pairs: Pairs) -> Answer:
        """Return what is decided about each of these clean pairs, in their order."""
        read = [name for name in self.decider.columns_read if name.startswith("^") or name in pairs.frame.columns]
        keys = keys_of(pairs.frame.select(*_TEXTS, *read))
        distinct = keys.with_row_index("row").unique(KEY, keep="first", maintain_order=True)
        known, values = self.scores.recall(distinct)
        new = np.setdiff1d(np.arange(distinct.height), known)
        told = values.clear() if values.width else values
        if len(new):
            told = _as_frame(self.decider.score_clean(Pairs(pairs.frame[distinct["row"][new]])))
        learned = pl.concat([distinct[new].select(KEY), told], how="horizontal")
        self.scores.remember(learned)
        of_distinct = pl.concat([distinct.select(KEY), in_order([known, new], [values, told])], how="horizontal")
        return Answer(_of_frame(keys.join(of_distinct, on=KEY, how="left", maintain_order="left").drop(KEY)), learned)

    def clean(self, raw: Pairs) -> tuple[Pairs, dict[str, int]]:
        """Return the same rows cleaned and in the right language, and the number of rows of each flag."""
        return curated(raw, self.curate, self.languages)

    def score_table(self, rows: pl.DataFrame, file: str, first_line: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows of a table with the columns of a scored file, and the quarantine of those that are no pairs.

        `rows` has the columns of a file in any layout that is read; the quarantine says `file` and the number of the
        row, counted from `first_line`. What becomes of a row does not depend on the others.
        """
        lines = pl.int_range(first_line, first_line + rows.height, eager=True)
        kept, quarantine = judged_rows(RawTable.of(file, rows, lines), self.curate, None, training=False)
        if not kept.height:
            return pl.DataFrame(), quarantine
        pairs, _ = self.clean(Pairs.from_frame(kept.drop("file", "line", "text", "reason")))
        return scored_table(pairs, self.score(pairs).decided), quarantine


def _as_frame(decided: Decided) -> pl.DataFrame:
    said = {field.name: getattr(decided, field.name) for field in fields(decided)}
    return pl.DataFrame({name: values for name, values in said.items() if values is not None})


def _of_frame(frame: pl.DataFrame) -> Decided:
    """Return the same; what is no number is a column of texts in `Decided` too."""
    said: dict[str, Any] = {
        column.name: column if column.dtype == pl.String else column.to_numpy() for column in frame.iter_columns()
    }
    return Decided(**said)
