"""What translates, and what the other parts ask of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

import polars as pl


class Translator(Protocol):
    """A model, a table or a test double that turns texts of one language into another.

    Languages are the codes of the pairs: ISO 639-1, such as "pt".
    """

    @property
    def name(self) -> str:
        """What its translations are kept and reported under: kind, model and revision of the weights."""
        ...

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return a translation per text, in order; None where it has none.

        Raises RecipeError for a language that it does not know.
        """
        ...


Translate = Callable[[pl.DataFrame], pl.Series]
"""A table with the columns `text`, `source` and `target` to one translation per row, null where there is none."""
