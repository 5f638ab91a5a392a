"""A pair as the prompt of a language model: one running text with a mark before each part."""

from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.core.pairs import Pairs
from shopglot.format.template import Template


class PromptSettings(BaseModel):
    """What stands around query and target; the mark before a target names the task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field("Query: {}", description="The first part; {} is the query.")
    category: str = Field("\nCategory: {}", description="The second part of a QC pair; {} is the category path.")
    item: str = Field("\nProduct: {}", description="The second part of a QI pair; {} is the title and its fields.")
    answer: str = Field("\nRelevant:", description="What stands last, where the answer is read off.")

    @model_validator(mode="after")
    def _parts_stay_apart(self) -> Self:
        """Refuse a prompt in which query and target would run into each other."""
        for name in ("query", "category", "item"):
            if getattr(self, name).count("{}") != 1:
                raise ValueError(f"{name} needs {{}} once, where the text goes")
        for name in ("category", "item"):
            if not getattr(self, name).partition("{}")[0].strip():
                raise ValueError(f"{name} needs a mark before {{}}, or the query would run into the target")
        return self


def prompts(pairs: Pairs, template: Template, settings: PromptSettings) -> pl.DataFrame:
    """Return the parts `query` and `target` of each pair's prompt; the whole text is query, target, `answer`.

    >>> from shopglot.core.pair import Pair
    >>> from shopglot.format.settings import FormatSettings
    >>> pairs = Pairs.of([Pair(task="QC", query="zapatos", target="shoes,sneakers")])
    >>> prompts(pairs, Template(FormatSettings(), cleaning=1), PromptSettings()).row(0)
    ('Query: zapatos', '\\nCategory: shoes,sneakers')
    """
    texts = pl.DataFrame({"task": pairs["task"], "query": template.queries(pairs), "target": template.targets(pairs)})
    category, item = (_around(mark, "target") for mark in (settings.category, settings.item))
    return texts.select(
        _around(settings.query, "query"), pl.when(pl.col("task") == "QC").then(category).otherwise(item)
    )


def _around(mark: str, column: str) -> pl.Expr:
    before, _, after = mark.partition("{}")
    return pl.concat_str(pl.lit(before), pl.col(column), pl.lit(after)).alias(column)
