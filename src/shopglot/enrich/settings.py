"""Settings of what pairs gain before a model learns from them."""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.enrich.translate_settings import TranslateSettings

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A number of made pairs as a share of the labelled original pairs; 0 makes none."""

LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
_OFF: Final = 0.0


class TranslatedSettings(BaseModel):
    """Pairs for languages that have no labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: tuple[LanguageCode, ...] = Field(
        default=(), description="The ISO 639-1 codes of the languages that queries are translated into."
    )
    share: Share = Field(default=_OFF, description="Made pairs of each language per labelled pair.")

    @model_validator(mode="after")
    def _languages_for_the_share(self) -> Self:
        if self.share and not self.languages:
            raise ValueError("there is a share but no language; name the languages to translate into")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError(f"a language stands twice among {', '.join(self.languages)}; name each once")
        return self


class MakeSettings(BaseModel):
    """How many pairs are made from labelled ones, as shares of their number; each kind is off at 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    typos: Share = Field(default=_OFF, description="Queries with one slip of the keyboard or of the script.")
    accents: Share = Field(default=_OFF, description="Queries without their accents.")
    spacing: Share = Field(default=_OFF, description="Queries with two words joined or one word split.")
    code_mix: Share = Field(default=_OFF, description="Queries with one word in English.")
    paraphrase: Share = Field(
        default=_OFF,
        description="Queries put into their language again from English, or with their words in new order.",
    )
    back_translation: Share = Field(
        default=_OFF, description="Queries translated into another language and back into their own."
    )
    back_translation_via: LanguageCode = Field(
        default="de", description="The other language of the back-translation; its own queries go by English."
    )
    path_suffix: Share = Field(default=_OFF, description="Category paths without one or more of their top levels.")
    path_drop: Share = Field(default=_OFF, description="Category paths without one of their inner levels.")
    translated: TranslatedSettings = TranslatedSettings()


class EnrichSettings(BaseModel):
    """What pairs gain before a model learns from them: English, and pairs made from them, which judge nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    translate: TranslateSettings | None = Field(
        default=None, description="What translates the queries that have no English; None: they stay without."
    )
    translation_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="The share of training pairs that lose their English, for a model that needs no translation.",
    )
    make: MakeSettings = MakeSettings()
    negatives: NegativeSettings | None = Field(
        default=None, description="Irrelevant pairs that each fold makes from its own training pairs; None: none."
    )
    guard: Path | None = Field(
        default=None,
        description="A bundle that was trained on other pairs; what it scores high is not made a negative.",
    )
