"""Settings of the report."""

from pydantic import BaseModel, ConfigDict, Field


class ReportSettings(BaseModel):
    """What the report shows beside the languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slices: tuple[str, ...] = Field(default=(), description="Columns of the files whose values are reported apart.")
    bootstrap: int = Field(default=1000, ge=100, description="Repetitions over query groups behind each interval.")
    mistakes: int = Field(
        default=5, ge=0, description="False positives, and as many false negatives, shown per task and slice."
    )
    translation: bool = Field(
        default=False, description="Whether to measure what translations are worth: the evidence is scored again."
    )
