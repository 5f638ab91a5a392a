"""What the pairs of a run gain before they are dealt into folds: English where it is missing, and made pairs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.clean import clean_texts
from shopglot.enrich.load_translator import load_translator, open_cache
from shopglot.enrich.make import make_pairs
from shopglot.enrich.protected import Protected
from shopglot.enrich.settings import EnrichSettings
from shopglot.enrich.translate import Translations, query_texts, translate_with, translations
from shopglot.enrich.translate_settings import TranslateSettings
from shopglot.enrich.translation_cache import TranslationCache
from shopglot.enrich.translator import Translate, Translator


@dataclass(frozen=True, eq=False, slots=True)
class Translating:
    """A translator with what it translates into, where its translations are kept, and what it must not harm."""

    translator: Translator
    target: str
    cache: TranslationCache | None
    protected: Protected

    @classmethod
    def of(cls, settings: TranslateSettings, resolve: Callable[[str], str]) -> "Translating":
        """Return what the settings ask for; `resolve` turns the name of a model into a folder or hub name."""
        translator = load_translator(settings, resolve)
        return cls(translator, settings.target, open_cache(settings), Protected.of(settings))

    @property
    def function(self) -> Translate:
        """The function that translates a table of texts."""
        return translate_with(self.translator, self.cache, self.protected)

    def missing(self, pairs: Pairs) -> tuple[pl.Series, Translations]:
        """Return a translation of each query that has no `english`, null for the others and for those without one."""
        queries, blank = query_texts(pairs, self.target), pairs["english"].is_null()
        made = translations(queries.filter(blank), self.translator, self.cache, self.protected)
        return pl.select(pl.when(blank).then(made.of(queries))).to_series(), made


@dataclass(frozen=True, eq=False, slots=True)
class Enriched:
    """The training pairs with those made from them, the pairs to be judged, and what was done how often."""

    train: Pairs
    dev: Pairs
    counts: dict[str, Any]


def enrich(
    train: Pairs,
    dev: Pairs,
    settings: EnrichSettings,
    translating: Translating | None,
    *,
    lower_case: bool = True,
    seed: int,
) -> Enriched:
    """Return the pairs with what `settings` ask for; `dev` only gains translations, for made pairs judge nothing.

    Translations are cleaned as the texts of files are, in `lower_case` or not.
    """
    counts: dict[str, Any] = {}
    if translating is not None:
        (train, counts["train translations"]), (dev, counts["dev translations"]) = (
            with_english(pairs, translating, lower_case) for pairs in (train, dev)
        )
    translate, translator = (translating.function, translating.translator.name) if translating else (None, None)
    made = make_pairs(train, settings.make, seed=seed, translate=translate, translator=translator)
    if made.counts:
        counts["made"] = made.counts
    return Enriched(Pairs.concat([train, made.pairs]), dev, counts)


def with_english(pairs: Pairs, translating: Translating, lower_case: bool) -> tuple[Pairs, dict[str, int]]:
    """Return the pairs with `english` filled in where it was missing, and how many queries had which outcome."""
    translated, made = translating.missing(pairs)
    filled = clean_texts(translated, lower_case=lower_case)
    return Pairs(pairs.frame.with_columns(english=pl.coalesce("english", filled))), made.counts
