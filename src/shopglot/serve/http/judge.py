"""Questions become verdicts: cleaned, given their language, and scored at once, in a worker thread."""

import math
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from shopglot.core.category import LEVEL_COMMA
from shopglot.core.pair import Task
from shopglot.core.pairs import OWN, SCHEMA, Pairs
from shopglot.curate.clean import LANGUAGE_ALIASES, clean
from shopglot.curate.language import correct_languages
from shopglot.curate.plain import is_clean, is_clean_path, is_clean_title
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided, Decider
from shopglot.serve.cascade.cascade import Cascade
from shopglot.serve.http.question import Question, Verdict

_CODE: Final = re.compile("[a-z]+")
_TEXTS: Final = Question._fields[:-1]
"""The fields of a question that are columns; its last one is those of the item."""


@dataclass(frozen=True)
class Judge:
    """Asks the model. `languages` are those that detection may answer."""

    decider: Decider
    languages: tuple[str, ...]

    def __call__(self, questions: Sequence[Question], end: float = math.inf) -> list[Verdict]:
        """Return a verdict per question, in order.

        `end` is a time of the monotonic clock. What decides every pair is asked whatever the time; later stages of a
        cascade are asked as many pairs as can be done until then.
        """
        pairs = self.detected(self.cleaned(questions))
        decided, cut_short = self._decided(pairs, end)
        columns: tuple[Iterable[object], ...] = (
            decided.probability.tolist(),
            decided.threshold.tolist(),
            pairs["language"],
            [None] * len(pairs) if decided.read is None else decided.read,
            map(_top_level, pairs["task"], pairs["target"]),
            pairs["flag"],
            [None] * len(pairs) if decided.stage is None else decided.stage,
            cut_short,
        )
        return [Verdict(*row) for row in zip(*columns, strict=True)]

    def _decided(self, pairs: Pairs, end: float) -> tuple[Decided, list[bool]]:
        if not isinstance(self.decider, Cascade) or math.isinf(end):
            return self.decider.score_clean(pairs), [False] * len(pairs)
        decided = self.decider.score_within(pairs, end - time.monotonic())
        return decided, self.decider.cut_short(pairs, decided).tolist()

    def cleaned(self, questions: Sequence[Question]) -> Pairs:
        """Return questions as clean pairs."""
        pairs = as_pairs(questions)
        return pairs if all(map(_is_clean, questions)) else clean(pairs, self.decider.curate)

    def detected(self, pairs: Pairs) -> Pairs:
        """Return clean pairs with the language of those queries that have none; null where it cannot be told."""
        given = pairs["language"].is_not_null()
        if given.all():
            return pairs
        found = correct_languages(Pairs(pairs.frame.filter(~given)), self._detection)["language"]
        return Pairs(pairs.frame.with_columns(language=pairs["language"].scatter((~given).arg_true(), found)))

    @cached_property
    def _detection(self) -> CurateSettings:
        return CurateSettings(languages=self.languages)


def _is_clean(question: Question) -> bool:
    """Return whether cleaning surely changes nothing."""
    english, language = question.english, question.language
    return (
        is_clean(question.query)
        and (is_clean_path if question.task == "QC" else is_clean_title)(question.target)
        and (english is None or is_clean_title(english))
        and (language is None or (language not in LANGUAGE_ALIASES and _CODE.fullmatch(language) is not None))
    )


def _top_level(task: Task, target: str) -> str | None:
    return LEVEL_COMMA.split(target, 1)[0] if task == "QC" else None


def as_pairs(questions: Sequence[Question]) -> Pairs:
    """Return questions as a table of pairs, as their clients wrote them."""
    rows = len(questions)
    texts = dict(zip(_TEXTS, zip(*questions, strict=True), strict=False)) if rows else {}
    columns: dict[str, Sequence[object]] = {"id": [str(row) for row in range(rows)], "weight": [1.0] * rows, **texts}
    fields = [dict(each.fields) for each in questions]
    own = sorted({name for each in fields for name in each})
    columns |= {OWN + name: [each.get(name) for each in fields] for name in own}
    nothing = [None] * rows
    schema = {**SCHEMA, **{OWN + name: pl.String() for name in own}}
    return Pairs(pl.DataFrame({name: columns.get(name, nothing) for name in schema}, schema=schema))
