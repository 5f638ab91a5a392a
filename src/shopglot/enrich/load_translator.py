"""Settings become a translator."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import cache_folder, checksums
from shopglot.core.pretrained import load_pretrained
from shopglot.enrich.fast_seq2seq import FastSeq2Seq, converted
from shopglot.enrich.few_shot import PROMPT, TARGET, FewShot
from shopglot.enrich.language_tags import language_tag
from shopglot.enrich.seq2seq import Seq2Seq
from shopglot.enrich.table import Table, table_name
from shopglot.enrich.translate_settings import (
    CTranslate2Settings,
    FewShotSettings,
    NoTranslatorSettings,
    Seq2SeqSettings,
    TableSettings,
    TranslateSettings,
)
from shopglot.enrich.translation_cache import TranslationCache
from shopglot.enrich.translator import Translator

ModelSettings = Seq2SeqSettings | CTranslate2Settings | FewShotSettings
Resolve = Callable[[str], str]
"""The name of a model to what transformers can load: a folder or a hub name."""


class NoTranslator:
    """Has no translation of anything."""

    name = "none"

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return None for every text."""
        return [None] * len(texts)


class Waiting:
    """A translator that is loaded when the first text comes, for often all of them are in the cache."""

    def __init__(self, name: str, load: Callable[[], Translator]) -> None:
        """Take the name that the translator will have, and what loads it."""
        self.name, self._load = name, load

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return what the translator does; raises BundleError where it cannot be loaded."""
        return self._loaded.translate(texts, source, target)

    @cached_property
    def _loaded(self) -> Translator:
        try:
            return self._load()
        except RecipeError as reason:  # which would pass for a language that it does not know
            raise BundleError(str(reason)) from reason


def load_translator(settings: TranslateSettings, resolve: Resolve) -> Translator:
    """Return the translator that the settings name; its weights are loaded when the first text comes.

    Raises RecipeError for a language that it cannot know, DataError for a table that cannot be read, BundleError for a
    model folder that is none.
    """
    chosen, target = settings.translator, settings.target
    for language in (target, *(getattr(chosen, "sources", None) or ())):
        language_tag(language, getattr(chosen, "tags", "none"))
    match chosen:
        case NoTranslatorSettings():
            return NoTranslator()
        case TableSettings():
            return Table.read(chosen, target)
        case FewShotSettings():
            if target != TARGET:
                raise RecipeError(f"few-shot translates into {TARGET!r}, not {target!r}; choose another translator")
    name = translator_name(settings, resolve)
    return Waiting(name, partial(_loaded, name, chosen, target, resolve))


def open_cache(settings: TranslateSettings) -> TranslationCache | None:
    """Return where translations are kept; None where nothing is computed that would be worth keeping."""
    if isinstance(settings.translator, NoTranslatorSettings | TableSettings):
        return None
    return TranslationCache(settings.cache or cache_folder() / "translations")


def translator_name(settings: TranslateSettings, resolve: Resolve) -> str:
    """Return the name of the translator without loading its weights.

    It says the kind, the model, the revision of its weights (of a folder a checksum) and whatever else of the settings
    changes what it writes, so that what is kept under a name stays true.
    """
    chosen = settings.translator
    if isinstance(chosen, NoTranslatorSettings):
        return NoTranslator.name
    if isinstance(chosen, TableSettings):
        return table_name(chosen)
    model, revision = _revision(chosen, resolve)
    how = chosen.model_dump(mode="json", exclude={"kind", "model", "revision", "sources", "batch_tokens"})
    if isinstance(chosen, FewShotSettings):
        how["prompt"] = hashlib.sha256(PROMPT.encode()).hexdigest()[:6]
    return " ".join([chosen.kind, f"{model}@{revision}", *(f"{key}={value}" for key, value in how.items())])


def _loaded(name: str, chosen: ModelSettings, target: str, resolve: Resolve) -> Translator:
    match chosen:
        case FewShotSettings():
            return FewShot(name, chosen, resolve(chosen.model))
        case Seq2SeqSettings():
            model: Seq2Seq | FastSeq2Seq = Seq2Seq(name, chosen, resolve(chosen.model))
        case CTranslate2Settings():
            model = FastSeq2Seq(name, chosen)
    model.tagged.check(target)
    return model


def _revision(chosen: ModelSettings, resolve: Resolve) -> tuple[str, str]:
    """Return the name and the revision of a model: of a folder its checksum, of a hub model its commit."""
    if isinstance(chosen, CTranslate2Settings):
        folder = converted(chosen.model)
        return folder.name, _checksum([folder, *(path for path in folder.iterdir() if path.is_dir())])
    source = resolve(chosen.model)
    if Path(source).is_dir():
        if not any(path.is_file() for path in Path(source).iterdir()):
            raise BundleError(f"{source} is no model, for it holds no files; name the folder of a model's files")
        return Path(chosen.model).name, _checksum([Path(source)])
    try:
        from transformers import AutoConfig
    except ImportError as missing:
        raise RecipeError(f"{source} needs transformers: pip install 'shopglot[translate]'") from missing
    revision = {} if chosen.revision is None else {"revision": chosen.revision}
    commit = getattr(load_pretrained(AutoConfig, source, **revision), "_commit_hash", None)
    return source, commit or chosen.revision or "main"


def _checksum(folders: Sequence[Path]) -> str:
    return hashlib.sha256(str(sorted(checksums(folders).values())).encode()).hexdigest()[:12]
