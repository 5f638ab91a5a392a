"""The one place where a pair is written as text, so that training and serving read the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from shopglot.core.category import levels
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, TRANSLATED, Pairs
from shopglot.format.settings import FormatSettings, QueryText

_NO_VALUE: Final = ("", "nan", "none", "null")
"""What other programs write where a field has no value."""


@dataclass(frozen=True, slots=True)
class Template:
    """How queries and targets are written; a bundle carries it beside the model that was trained with it.

    >>> from shopglot.core.pair import Pair
    >>> pairs = Pairs.of([Pair(task="QC", query="barnum", english="tent", target="garden,tents, tarps,party tents")])
    >>> template = Template(FormatSettings(query="both", path="leaf-first"), cleaning=1)
    >>> template.queries(pairs).item(), template.targets(pairs).item()
    ('barnum - tent', 'party tents, tents, tarps, garden')
    """

    settings: FormatSettings
    cleaning: int

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change when the text a model reads would change."""
        text = f"{self.settings.model_dump_json()} cleaning {self.cleaning}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def reading(self, query: QueryText) -> "Template":
        """Return the template that reads another text of the query."""
        return replace(self, settings=self.settings.model_copy(update={"query": query}))

    def queries(self, pairs: Pairs) -> pl.Series:
        """Return the text of each query; where a translation is wanted but absent, the query as typed."""
        original, english = pl.col("query"), pl.col("english")
        texts = {
            "original": original,
            "english": pl.when(TRANSLATED).then(english).otherwise(original),
            "both": pl.when(TRANSLATED).then(pl.format("{} - {}", original, english)).otherwise(original),
        }
        return pairs.frame.select(texts[self.settings.query].alias("query")).to_series()

    def targets(self, pairs: Pairs) -> pl.Series:
        """Return the text of each target: the path as the settings say, the title with its fields."""
        text = pl.when(pl.col("task") == "QC").then(self._path()).otherwise(self._item(pairs))
        return pairs.frame.select(text.alias("target")).to_series()

    def _path(self) -> pl.Expr:
        names = levels(pl.col("target"))
        leaf_first = names.list.reverse()
        numbered = pl.format("{}: {}", pl.int_range(1, pl.len() + 1), pl.element())
        texts = {
            "full": pl.col("target"),
            "leaf-first": leaf_first.list.join(", "),
            "leaf-parent": leaf_first.list.head(2).list.join(", "),
            "leaf": leaf_first.list.first(),
            "levels": names.list.eval(numbered).list.join(" "),
        }
        return texts[self.settings.path]

    def _item(self, pairs: Pairs) -> pl.Expr:
        names = [OWN + name for name in self.settings.item_fields if OWN + name in pairs.frame.columns]
        texts = [pl.col(name).cast(pl.String).str.strip_chars() for name in names]
        present = [pl.when(~text.str.to_lowercase().is_in(_NO_VALUE)).then(text) for text in texts]
        return pl.concat_str(pl.col("target"), *present, separator=", ", ignore_nulls=True)


def texts_read(pairs: Pairs, queries: Mapping[Task, QueryText]) -> pl.Series:
    """Return which text of each query is read where each task reads `queries`: "original", "english" or "both".

    It is "original" without a translation, whatever the task would read, and null in a task that is not in `queries`
    and where there is nothing to judge.

    >>> from shopglot.core.pair import Pair
    >>> rows = [Pair("QI", query="lampe", target="a lamp", english=english) for english in ("lamp", None)]
    >>> texts_read(Pairs.of(rows), {"QI": "both"}).to_list()
    ['both', 'original']
    """
    task = pl.col("task").cast(pl.String).replace_strict(dict(queries), default=None, return_dtype=pl.String)
    read = pl.when(TRANSLATED | task.is_null()).then(task).otherwise(pl.lit("original"))
    return pairs.frame.select(pl.when(pl.lit(pl.Series(pairs.readable))).then(read).alias("read")).to_series()
