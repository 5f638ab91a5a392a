"""What may be chosen about scoring files of any size."""

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """How much is held in memory at a time; what becomes of a row depends on none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk_bytes: int = Field(
        default=8 * 2**20, ge=1, description="About how many bytes of text are read, scored and written at a time."
    )
    remember: int = Field(
        default=5_000_000, ge=1, description="Of how many distinct pairs the scores are kept for later chunks."
    )
