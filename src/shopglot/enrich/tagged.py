"""How the texts of a sequence-to-sequence model carry their languages, alike for transformers and CTranslate2."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopglot.core.errors import RecipeError
from shopglot.enrich.language_tags import language_tag
from shopglot.enrich.translate_settings import CTranslate2Settings, Seq2SeqSettings

_MOST_TOKENS: Final = 512
_LEAST_GROWTH: Final = (16, 3)


@dataclass(frozen=True, slots=True)
class TaggedTokenizer:
    """A tokenizer of transformers, and how it is told the languages.

    MADLAD-400 reads the target's tag before the text. NLLB-200 and M2M-100 read the source's tag there, and the
    target's is the first token that they write.
    """

    tokenizer: Any
    settings: Seq2SeqSettings | CTranslate2Settings

    def encode(self, texts: Sequence[str], source: str, target: str) -> list[list[int]]:
        """Return the tokens that the model reads; raises RecipeError for a language that it does not know."""
        tags, sources = self.settings.tags, self.settings.sources
        if sources is not None and source not in sources:
            raise RecipeError(f"the model translates from {', '.join(sources)}, not from {source!r}; see `sources`")
        if tags == "madlad":
            tag = self._tag(target)
            texts = [f"{tag} {text}" for text in texts]
        elif tags != "none":
            tag = self._tag(source)
            self.tokenizer.src_lang = source if tags == "m2m" else tag
        encoded = self.tokenizer(list(texts), truncation=True, max_length=_MOST_TOKENS)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def first_token(self, target: str) -> str | None:
        """Return the token that the model has to write first; raises RecipeError for an unknown language."""
        return self._tag(target) if self.settings.tags in {"nllb", "m2m"} else None

    def check(self, target: str) -> None:
        """Raise RecipeError where the target language, or the kind of tags, is not the model's."""
        if self.settings.tags != "none":
            self._tag(target)

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Return the texts that the model wrote."""
        texts: list[str] = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return texts

    def longest(self, ids: Sequence[Sequence[int]]) -> int:
        """Return how many tokens the translations of a batch may have."""
        base, growth = _LEAST_GROWTH
        return min(self.settings.max_new_tokens, base + growth * max(map(len, ids)))

    def _tag(self, language: str) -> str:
        tag = language_tag(language, self.settings.tags)
        if self.tokenizer.convert_tokens_to_ids(tag) in {None, self.tokenizer.unk_token_id}:
            raise RecipeError(
                f"{self.settings.model} has no token {tag!r} for {language!r}; are its tags {self.settings.tags!r}?"
            )
        return tag
