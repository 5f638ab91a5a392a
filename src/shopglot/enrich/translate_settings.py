"""Settings of translation: what translates, and what it leaves alone."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Tags = Literal["madlad", "nllb", "m2m", "none"]
"""How a model is told its languages: by `<2en>`, `por_Latn` or `__pt__`, or not at all."""

Quantization = Literal["int8", "int8_float32", "int8_bfloat16", "int8_float16", "bfloat16", "float16", "float32"]
"""The types in which CTranslate2 keeps weights, and computes as far as the machine can."""

Type = Literal["float32", "bfloat16", "float16"]


class NoTranslatorSettings(BaseModel):
    """Nothing translates; only what needs no translation is filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["none"] = "none"


class TableSettings(BaseModel):
    """A table of known translations into the target language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["table"] = "table"
    files: tuple[Path, ...] = Field(
        min_length=1, description="CSV or Parquet files; of two translations of a text the first one is taken."
    )
    text: str = Field(default="text", description="The column of the texts.")
    source: str | None = Field(
        default="source", description="The column of their languages; None: the translations hold for any language."
    )
    translation: str = Field(default="translation", description="The column of the translations.")
    target: str | None = Field(
        default=None, description="The column of the languages of the translations; None: all are in the one wanted."
    )


class Seq2SeqSettings(BaseModel):
    """A sequence-to-sequence model of transformers, such as MADLAD-400, NLLB-200, M2M-100 or an OPUS-MT model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["seq2seq"] = "seq2seq"
    model: str = Field(description="An embedded, local or hub model.")
    revision: str | None = Field(default=None, description="The commit, tag or branch of a hub model.")
    tags: Tags = Field(description="How the model is told its languages; `none` for a model of two languages.")
    sources: tuple[str, ...] | None = Field(
        default=None, description="The ISO 639-1 codes that it translates from; None: all that its tags know."
    )
    dtype: Type = Field(default="float32", description="The type in which it computes.")
    beams: int = Field(default=1, ge=1, description="Width of the beam search; 1 is greedy and fastest.")
    batch_tokens: int = Field(default=4096, ge=1, description="Tokens of the texts per batch, padding included.")
    max_new_tokens: int = Field(
        default=128, ge=1, description="The most tokens of a translation, which also has at most 16 + 3 for each read."
    )
    no_repeat: int | None = Field(
        default=4, ge=1, description="No run of so many tokens is written twice; None: it may be."
    )


class CTranslate2Settings(BaseModel):
    """The same kinds of model in CTranslate2, converted by `shopglot convert-translator`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ctranslate2"] = "ctranslate2"
    model: Path = Field(description="The folder of the converted model.")
    tags: Tags = Field(description="How the model is told its languages; `none` for a model of two languages.")
    sources: tuple[str, ...] | None = Field(
        default=None, description="The ISO 639-1 codes that it translates from; None: all that its tags know."
    )
    compute_type: Quantization | None = Field(
        default=None, description="The type in which it computes; None: the one that it was converted to."
    )
    beams: int = Field(default=1, ge=1, description="Width of the beam search; 1 is greedy and fastest.")
    batch_tokens: int = Field(default=4096, ge=1, description="Tokens of the texts per batch, padding included.")
    max_new_tokens: int = Field(
        default=128, ge=1, description="The most tokens of a translation, which also has at most 16 + 3 for each read."
    )
    no_repeat: int | None = Field(
        default=4, ge=1, description="No run of so many tokens is written twice; None: it may be."
    )


class FewShotSettings(BaseModel):
    """A causal language model that continues a list of queries with their English."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["few-shot"] = "few-shot"
    model: str = Field(default="embedded:gemma-3-270m", description="An embedded, local or hub model.")
    revision: str | None = Field(default=None, description="The commit, tag or branch of a hub model.")
    dtype: Type = Field(default="bfloat16", description="The type in which it computes.")
    batch_tokens: int = Field(default=4096, ge=1, description="Tokens of the texts per batch, padding included.")
    max_new_tokens: int = Field(
        default=64, ge=1, description="The most tokens of a translation, which also has at most 8 + 3 for each read."
    )


TranslatorSettings = Annotated[
    NoTranslatorSettings | TableSettings | Seq2SeqSettings | CTranslate2Settings | FewShotSettings,
    Field(discriminator="kind"),
]


class TranslateSettings(BaseModel):
    """What translates texts into which language, and what it leaves alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    translator: TranslatorSettings = Field(description="What translates.")
    target: str = Field(default="en", description="The ISO 639-1 code of the language that texts are translated into.")
    brands: Path | None = Field(
        default=None, description="A file of names, one a line, that pass through unharmed; None: there are none."
    )
    max_characters: int = Field(default=500, ge=1, description="Texts longer than this are kept as they are.")
    cache: Path | None = Field(
        default=None, description="The folder in which translations are kept; None: the user's cache of this project."
    )
