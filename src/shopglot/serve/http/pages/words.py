"""Which words a probability rests on, as text with its words marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shopglot.core.pair import Pair
from shopglot.report.attribution import Attribution, attributed, without_each_word
from shopglot.serve.http.pages.asked import Asked
from shopglot.serve.http.question import Question
from shopglot.serve.http.service import Service, check

_STEPS: Final = (0.02, 0.1, 0.25)
"""From which drop on a word is marked lightly, clearly and strongly."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word with how much the probability drops without it, or what stands between words, with None."""

    text: str
    drop: float | None = None

    @property
    def strength(self) -> int:
        """How strongly the word is marked, from 0 to 3."""
        return sum(abs(self.drop or 0) >= step for step in _STEPS)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text of the pair, in pieces; joined they are the text."""

    name: str
    pieces: tuple[Piece, ...]


async def marked_words(service: Service, asked: Asked, target: str) -> list[Marked]:
    """Return the texts of a pair with what each word counts, as `shopglot explain` does it."""
    check(service.settings, 1, (asked.query, target))  # before a long text is taken apart
    question = Question(asked.task, asked.query, target, asked.language)
    (read,), _ = await service.translations.of([question], wanted=asked.translate)
    (whole,) = await service.batcher.judge([read])
    pair = Pair(task=read.task, query=read.query, target=target, language=whole.language, english=read.english)
    variants = without_each_word(pair)
    check(service.settings, len(variants) + 1, (asked.query, target))
    verdicts = await service.batcher.judge([_question(each.pair) for each in variants])
    found = attributed(whole.probability, variants, [each.probability for each in verdicts])
    texts = {"query": read.query, "english": read.english, "target": target}
    return [Marked(name, tuple(_pieces(text, name, found))) for name, text in texts.items() if text]


def _question(pair: Pair) -> Question:
    """Return the question of a variant: its language stays that of the whole query."""
    return Question(pair.task, pair.query, pair.target, pair.language, pair.english)


def _pieces(text: str, name: str, found: Attribution) -> Iterator[Piece]:
    end = 0
    for field, word, _, drop in found.words.iter_rows():
        if field == name:
            begin = text.index(word, end)
            if begin > end:
                yield Piece(text[end:begin])
            yield Piece(word, drop)
            end = begin + len(word)
    if end < len(text):
        yield Piece(text[end:])
