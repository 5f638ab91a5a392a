"""What a person may choose about a student: the keys of its file."""

from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.enrich.negative_settings import NegativeSettings
from shopglot.learn.settings import EmbeddingSettings, EncoderSettings, check_names

StudentSettings = Annotated[EmbeddingSettings | EncoderSettings, Field(discriminator="learner")]


class DistillSettings(BaseModel):
    """Which learners are taught by a finished run, and with what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="student", description="The name the report shows.")
    student: tuple[StudentSettings, ...] = Field(
        default=(EmbeddingSettings(name="student", networks=1),),
        min_length=1,
        description="The learners that are taught; the scores of several are blended by weights from the tune part.",
    )
    labels: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How much the label counts in what a labelled pair teaches; the teacher's probability is the rest.",
    )
    margin: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="The share of a cross-encoder's loss that is margin-MSE over targets of one query; the rest is "
        "binary cross-entropy.",
    )
    trim: bool = Field(
        default=False,
        description="Cut the word embeddings of a cross-encoder, before it learns, to the pieces of words that the "
        "pairs of the run, the files and the categories use.",
    )
    spare: int = Field(
        default=0, ge=0, description="The most probable of the unused pieces, which `trim` keeps for new texts."
    )
    made: NegativeSettings | None = Field(
        default=None,
        description="Also let the teacher judge other targets for the queries of the relevant pairs, drawn as negatives"
        " are; None: none are made.",
    )

    @model_validator(mode="after")
    def _names_are_folders_of_their_own(self) -> Self:
        check_names([each.name for each in self.student])
        return self

    @model_validator(mode="after")
    def _margins_need_a_cross_encoder(self) -> Self:
        if self.margin and not self._has_a_cross_encoder:
            raise ValueError("`margin` is for the learner `encoder`; the heads of `embedding` learn cross-entropy")
        return self

    @model_validator(mode="after")
    def _only_cross_encoders_are_trimmed(self) -> Self:
        if self.trim and not self._has_a_cross_encoder:
            raise ValueError("`trim` is for the learner `encoder`; `shopglot pack` trims what `embedding` only names")
        if self.spare and not self.trim:
            raise ValueError("`spare` is what `trim` keeps; set `trim: true`, or leave it out")
        return self

    @property
    def _has_a_cross_encoder(self) -> bool:
        return any(isinstance(each, EncoderSettings) for each in self.student)

    def to_yaml(self) -> str:
        """Return the settings with every default spelled out."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        return text
