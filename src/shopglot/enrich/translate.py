"""Texts are translated once, whatever the translator does."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import polars as pl

from shopglot.core.errors import RecipeError
from shopglot.core.pairs import Pairs
from shopglot.core.progress import tracked
from shopglot.enrich.protected import Protected
from shopglot.enrich.translation_cache import KEY, TranslationCache
from shopglot.enrich.translator import Translate, Translator

log = logging.getLogger(__name__)

Outcome = Literal[
    "new",
    "cached",
    "kept-same-language",
    "kept-code",
    "kept-empty",
    "kept-long",
    "no-translation",
    "failed-empty",
    "failed-endless",
    "failed-count",
    "unknown-language",
]
"""What became of a text.

- `new`, `cached`: translated now or before.
- `kept-same-language`, `kept-code`: its own translation, for it is in the target language, or all of it is numbers,
  model codes and brands.
- `kept-empty`, `kept-long`: nothing to read in it, or too much.
- `no-translation`: the translator says that it has none, as a table does.
- `failed-empty`, `failed-endless`, `failed-count`: the translator said nothing, repeated itself without end, or
  answered one text by another number of them.
- `unknown-language`: its language is not named, or the translator does not know it.
"""

PUT_BACK: Final = "put-back"
"""The count of translations that lost a number, code or brand, which then was put back."""

BATCH: Final = 256
"""Texts that are handed over and kept together: what a kill loses at most."""

_LONG_WORK: Final = 500
_OWN_TRANSLATION: Final = ("kept-same-language", "kept-code")
_TRANSLATED: Final = ("new", "cached")
_REPEATED: Final = re.compile(r"(.{1,40}?)\1{3,}", re.DOTALL)
_LONGEST_REPEATED: Final = 24
_MOST_CHARACTERS: Final = (80, 8)


@dataclass(frozen=True, eq=False, slots=True)
class Translations:
    """What became of each distinct text.

    `texts` has the columns text, source, target, translation (null where there is none) and outcome; `counts` says
    how many distinct texts had each outcome, and how many had something put back.
    """

    texts: pl.DataFrame
    counts: dict[str, int]

    def of(self, frame: pl.DataFrame) -> pl.Series:
        """Return the translation of each row of `frame` (columns text, source, target) in order, null for none."""
        asked = frame.select(pl.col(KEY).cast(pl.String))
        found = asked.join(self.texts, on=KEY, how="left", nulls_equal=True, maintain_order="left")
        return found["translation"]


def translations(
    texts: pl.DataFrame,
    translator: Translator,
    cache: TranslationCache | None = None,
    protected: Protected | None = None,
) -> Translations:
    """Return the translation of each distinct row of `texts` (columns text, source, target); rows may repeat.

    Only texts that are not in the cache and need a translation are handed to the translator: by language, longest
    first, in batches that are kept as soon as they are done. Whatever it answers, every text has an outcome, and
    failures are kept like translations.
    """
    protected = protected or Protected()
    judged = _judged(texts, translator.name, cache, protected)
    waiting = judged.filter(pl.col("outcome") == "new")
    done = pl.concat([judged.filter(pl.col("outcome") != "new"), *_made(waiting, translator, cache)])
    translated = pl.col("outcome").is_in(_TRANSLATED)
    bare = done.select(pl.when(translated).then("translation")).to_series()
    mended = protected.mended(done["text"], bare)
    whole = done.with_columns(pl.coalesce(mended, "translation").alias("translation"))
    lost = int((mended != bare).sum())
    return Translations(whole, _counts(whole) | ({PUT_BACK: lost} if lost else {}))


def count_new(
    texts: pl.DataFrame, translator: str, cache: TranslationCache | None = None, protected: Protected | None = None
) -> dict[str, int]:
    """Return how many distinct texts the translator of this name would be handed, as `new`, beside the other outcomes.

    Nothing is translated, so of the new ones nobody knows yet which will fail.
    """
    return _counts(_judged(texts, translator, cache, protected or Protected()))


def translate_with(
    translator: Translator, cache: TranslationCache | None = None, protected: Protected | None = None
) -> Translate:
    """Return the function that other parts of the house translate tables with."""
    return lambda frame: translations(frame, translator, cache, protected).of(frame)


def query_texts(pairs: Pairs, target: str) -> pl.DataFrame:
    """Return the queries of pairs as texts to be translated into `target`, one row per pair."""
    return pairs.frame.select(text="query", source="language", target=pl.lit(target))


def _judged(texts: pl.DataFrame, translator: str, cache: TranslationCache | None, protected: Protected) -> pl.DataFrame:
    """Return the distinct texts with translation and outcome as far as they are known; the others are `new`."""
    distinct = texts.select(pl.col(KEY).cast(pl.String)).unique(maintain_order=True)
    judged = distinct.with_columns(outcome=protected.outcome())
    own = pl.when(pl.col("outcome").is_in(_OWN_TRANSLATION)).then("text")
    settled = judged.with_columns(translation=own).select(*KEY, "translation", "outcome")
    waiting = settled["outcome"].is_null()
    if cache is None:
        return settled.with_columns(pl.col("outcome").fill_null("new"))
    kept = cache.known(settled.filter(waiting), translator)
    found = kept.with_columns(pl.col("outcome").replace("new", "cached"))
    rest = settled.filter(waiting).join(found, on=KEY, how="anti").with_columns(outcome=pl.lit("new"))
    return pl.concat([settled.filter(~waiting), found, rest])


def _made(waiting: pl.DataFrame, translator: Translator, cache: TranslationCache | None) -> Iterator[pl.DataFrame]:
    """Yield the texts in batches of one language with what the translator made of them."""
    longest_first = waiting.sort(pl.col("text").str.len_chars(), descending=True, maintain_order=True)
    groups = longest_first.partition_by("source", "target", maintain_order=True)
    batches = [batch for group in groups for batch in group.iter_slices(BATCH)]
    unknown: set[tuple[str, str]] = set()
    for batch in tracked(batches, "translating", size=waiting.height, long=_LONG_WORK):
        languages = batch.select("source", "target").row(0)
        if languages in unknown or (done := _attempted(batch, translator, *languages)) is None:
            unknown.add(languages)
            yield batch.with_columns(outcome=pl.lit("unknown-language"))
            continue
        if cache is not None:
            cache.keep(done, translator.name)
        yield done


def _attempted(batch: pl.DataFrame, translator: Translator, source: str, target: str) -> pl.DataFrame | None:
    """Return the batch with translations and outcomes, or None for a language that the translator does not know."""
    try:
        return _answered(batch, translator, source, target)
    except RecipeError as reason:
        log.warning("texts in %r are not translated into %r: %s", source, target, reason)
        return None


def _answered(batch: pl.DataFrame, translator: Translator, source: str, target: str) -> pl.DataFrame:
    """Return the batch with translations and outcomes; one that comes back in another number is tried one by one."""
    readable = batch["text"].str.replace_all(r"[\p{Cc}\s]+", " ").str.strip_chars(" ").to_list()
    answers = translator.translate(readable, source, target)
    if len(answers) == len(readable):
        settled = [_settled(text, answer) for text, answer in zip(readable, answers, strict=True)]
    else:
        alone = [translator.translate([text], source, target) for text in readable]
        settled = [
            _settled(text, answer[0]) if len(answer) == 1 else (None, "failed-count")
            for text, answer in zip(readable, alone, strict=True)
        ]
    made = pl.DataFrame(settled, schema={"translation": pl.String, "outcome": pl.String}, orient="row")
    return batch.select(KEY).hstack(made)


def _settled(text: str, answer: str | None) -> tuple[str | None, Outcome]:
    if answer is None:
        return None, "no-translation"
    if not (translation := " ".join(answer.split())):
        return None, "failed-empty"
    return (None, "failed-endless") if _is_endless(text, translation) else (translation, "new")


def _is_endless(text: str, translation: str) -> bool:
    """Whether a translation is out of all proportion, or repeats a part again and again as its text does not."""
    base, per_character = _MOST_CHARACTERS
    if len(translation) > base + per_character * len(text):
        return True
    return _repeats(translation) and not _repeats(text)


def _repeats(text: str) -> bool:
    return any(len(run[0]) >= _LONGEST_REPEATED for run in _REPEATED.finditer(text))


def _counts(judged: pl.DataFrame) -> dict[str, int]:
    found = dict(judged["outcome"].value_counts().rows())
    return {outcome: found[outcome] for outcome in get_args(Outcome) if outcome in found}
