"""Settings of the text that a model reads."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

QueryText = Literal["original", "english", "both"]
PathText = Literal["full", "leaf-first", "leaf-parent", "leaf", "levels"]


class FormatSettings(BaseModel):
    """How a pair is written as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: QueryText = Field("original", description="The query as typed, its English translation, or both.")
    path: PathText = Field(
        "full", description="How much of a category path is written, and in which order; levels: with their numbers."
    )
    item_fields: tuple[str, ...] = Field((), description="Columns of the file, such as brand, written after the title.")
