"""Translators written by hand, good and bad."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from shopglot.core.errors import RecipeError

Answer = str | None


@dataclass
class Counting:
    """Turns letters into capitals, knows all languages but "xx", and remembers what it was asked."""

    name: str = "counting"
    asked: list[list[str]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.asked for text in batch]

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Answer]:
        if source == "xx":
            raise RecipeError("no language 'xx'")
        self.asked.append([*texts])
        return [text.upper() for text in texts]


@dataclass
class Saying:
    """Answers a batch in whatever way it was told."""

    answer: Callable[[Sequence[str]], list[Answer]]
    name: str = "saying"
    calls: int = 0

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Answer]:
        self.calls += 1
        return self.answer(texts)


def french(*texts: str | None) -> pl.DataFrame:
    """Return texts to be translated from French into English."""
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_columns(
        source=pl.lit("fr"), target=pl.lit("en")
    )
