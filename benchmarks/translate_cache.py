"""How often many queries call a translator, and what the cache costs: `python -m benchmarks.translate_cache`."""

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from shopglot.enrich.translate import translations
from shopglot.enrich.translation_cache import TranslationCache

ROWS, UNIQUE = 100_000, 20_000
WORDS = ("robe", "rouge", "lampe", "table", "femme", "casque", "sac", "noir", "chaise", "jardin")


class Counting:
    """Takes no time, so that what is measured is everything around a translator."""

    name = "counting"

    def __init__(self) -> None:
        """Begin with no text."""
        self.texts = 0

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return the texts as they are."""
        self.texts += len(texts)
        return [*texts]


def queries() -> pl.DataFrame:
    """Return queries of which each distinct one occurs, in random order; two in five hold a number."""
    rng = np.random.default_rng(7)
    words = rng.choice(WORDS, (UNIQUE, 3))
    distinct = np.array([" ".join(row) + f" {_name(n)}" + f" {n} cm" * (n % 5 < 2) for n, row in enumerate(words)])
    drawn = rng.permutation(np.concatenate([np.arange(UNIQUE), rng.integers(0, UNIQUE, ROWS - UNIQUE)]))
    return pl.DataFrame({"text": distinct[drawn]}).with_columns(source=pl.lit("fr"), target=pl.lit("en"))


def main() -> None:
    """Print one JSON line per run; the second one finds everything in the cache."""
    texts = queries()
    with tempfile.TemporaryDirectory() as folder:
        for run in ("first", "second"):
            translator, start = Counting(), time.perf_counter()
            made = translations(texts, translator, TranslationCache(Path(folder)))
            translated = made.of(texts).count()
            seconds = round(time.perf_counter() - start, 2)
            record = {"benchmark": "translate_cache", "run": run, "rows": texts.height, "unique": texts.n_unique()}
            print(
                json.dumps(
                    record
                    | {"calls": translator.texts, "rows_translated": translated, "seconds": seconds}
                    | made.counts
                )
            )


def _name(number: int) -> str:
    """Return a number in letters."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


if __name__ == "__main__":
    main()
