"""A pair becomes the token ids a fine-tuned model reads."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.format.prompt import prompts
from shopglot.format.template import Template
from shopglot.learn.llm_settings import LLMSettings

MARKERS: Final[dict[Task, str]] = {"QC": "category", "QI": "item"}
"""What stands before the query of a text pair, so that one model knows which of the tasks it is asked."""

Encoded = dict[str, list[list[int]]]
"""The columns a tokenizer returns, such as `input_ids`, not padded."""


@dataclass(frozen=True, eq=False, slots=True)
class Reader:
    """How a model reads pairs. Each distinct query and target is tokenized once, whatever they stand with."""

    tokenizer: Any
    template: Template
    settings: LLMSettings

    def texts(self, pairs: Pairs) -> pl.DataFrame:
        """Return the columns `query` and `target` as they are tokenized, one row per pair."""
        if self.settings.text == "prompt":
            return prompts(pairs, self.template, self.settings.prompt)
        return text_pairs(pairs, self.template)

    def encode(self, texts: pl.DataFrame) -> Encoded:
        """Return the token columns of `texts`; of a pair that is too long, the longer text is cut at its end."""
        if not texts.height:
            return {"input_ids": []}
        if self.settings.text == "pair":
            return encode_pairs(self.tokenizer, texts, self.settings.max_tokens)
        return {"input_ids": self._prompt_ids(texts)}

    def _prompt_ids(self, texts: pl.DataFrame) -> list[list[int]]:
        start, end = self._frame()
        answer = self._ids([self.settings.prompt.answer])[0] if self.settings.prompt.answer else []
        queries, targets = (self._each_once(texts[name]) for name in ("query", "target"))
        room = self.settings.max_tokens - len(start) - len(answer) - len(end)
        cuts = longest_first(
            np.array([len(ids) for ids in queries]), np.array([len(ids) for ids in targets]), max(room, 2)
        )
        return [
            [*start, *query[:left], *target[:right], *answer, *end]
            for query, target, left, right in zip(queries, targets, *(cut.tolist() for cut in cuts), strict=True)
        ]

    def _frame(self) -> tuple[list[int], list[int]]:
        """Return the special tokens that the tokenizer puts before and after a text."""
        special = list(self.tokenizer("")["input_ids"])
        first = [token for token in special[:1] if token in (self.tokenizer.bos_token_id, self.tokenizer.cls_token_id)]
        return first, special[len(first) :]

    def _each_once(self, texts: pl.Series) -> list[list[int]]:
        distinct = texts.unique(maintain_order=True)
        ids = dict(zip(distinct.to_list(), self._ids(distinct.to_list()), strict=True))
        return [ids[text] for text in texts.to_list()]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids


def text_pairs(pairs: Pairs, template: Template) -> pl.DataFrame:
    """Return the two texts of the tokenizer's own pair form: the task's marker with the query, and the target."""
    marker = pairs["task"].cast(pl.String).replace_strict(dict(MARKERS))
    return pl.DataFrame({"query": marker + ": " + template.queries(pairs), "target": template.targets(pairs)})


def encode_pairs(tokenizer: Any, texts: pl.DataFrame, max_tokens: int) -> Encoded:
    """Return the token columns of text pairs as the tokenizer frames them."""
    if not texts.height:
        return {"input_ids": []}
    queries, targets = texts["query"].to_list(), texts["target"].to_list()
    return dict(tokenizer(queries, targets, truncation="longest_first", max_length=max_tokens))


def longest_first(left: NDArray[np.int64], right: NDArray[np.int64], room: int) -> tuple[NDArray[np.int64], ...]:
    """Return how much of each pair of texts is kept so that both fit in `room`, the longer one being cut first.

    >>> [kept.tolist() for kept in longest_first(np.array([3, 9]), np.array([9, 9]), 8)]
    [[3, 4], [5, 4]]
    """
    kept = np.minimum(left, np.maximum(room - right, room // 2))
    return kept, np.minimum(right, room - kept)
