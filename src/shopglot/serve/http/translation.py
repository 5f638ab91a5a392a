"""Queries in English, where a request asks for it and the server has a translator."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean
from shopglot.enrich.enrich import Translating
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.judge import Judge, as_pairs
from shopglot.serve.http.question import Question


class Translation(NamedTuple):
    """What became of the translation of a query.

    `outcome` is "not-asked", "given" (by the client), "no-translator", or what `enrich.translate.Outcome` says.
    """

    outcome: str
    text: str | None = None


class Translations:
    """Translates in a thread of its own, so that those who ask for no translation do not wait for it."""

    def __init__(self, translating: Translating | None, judge: Judge, deadline_seconds: float) -> None:
        """Take the translator, None where there is none, and what detects the language of a query."""
        self._translating, self._judge, self._deadline = translating, judge, deadline_seconds

    @property
    def there(self) -> bool:
        """Whether there is a translator."""
        return self._translating is not None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Translate until the block ends."""
        self._thread = ThreadPoolExecutor(1, "translating")
        try:
            yield
        finally:
            self._thread.shutdown(cancel_futures=True)

    async def of(self, questions: Sequence[Question], *, wanted: bool) -> tuple[list[Question], list[Translation]]:
        """Return the questions with their queries in English where that could be had, and what became of each."""
        translating = self._translating
        if not wanted or translating is None:
            outcome = "no-translator" if wanted else "not-asked"
            given = [Translation("given", each.english) if each.english else Translation(outcome) for each in questions]
            return list(questions), given
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline):
                return await loop.run_in_executor(self._thread, _translated, questions, translating, self._judge)
        except TimeoutError as late:
            raise ServeError(504, "Overloaded", "the translation was not done by the deadline") from late


def _translated(
    questions: Sequence[Question], translating: Translating, judge: Judge
) -> tuple[list[Question], list[Translation]]:
    pairs = judge.detected(clean(as_pairs(questions), judge.decider.curate))
    _, made = translating.missing(pairs)
    rows = pairs.frame.select(text="query", source="language").join(
        made.texts, on=["text", "source"], how="left", nulls_equal=True, maintain_order="left"
    )
    return _joined(questions, pairs, rows)


def _joined(
    questions: Sequence[Question], pairs: Pairs, rows: pl.DataFrame
) -> tuple[list[Question], list[Translation]]:
    read, translations = [], []
    for question, language, text, outcome in zip(
        questions, pairs["language"], rows["translation"], rows["outcome"], strict=True
    ):
        if question.english:
            read.append(question)
            translations.append(Translation("given", question.english))
        else:
            read.append(question._replace(language=question.language or language, english=text))
            translations.append(Translation(outcome or "unknown-language", text))
    return read, translations
