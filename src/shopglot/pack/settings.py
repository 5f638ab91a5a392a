"""Settings of packing."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shopglot.pack.engines import Engine, Precision


class PackSettings(BaseModel):
    """How a scorer becomes a small and fast one, and how far it may stray from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision = Field(default="int8", description="What the networks compute in.")
    engine: Engine | Literal["auto"] = Field(default="auto", description="What runs them; auto: the faster one here.")
    trim: bool = Field(default=True, description="Leave out the pieces of words that the pairs do not use.")
    spare: int = Field(default=0, ge=0, description="The most probable of the unused pieces, which are kept.")
    calibration: int = Field(default=300, ge=1, description="Texts by which the ranges of int8 are measured.")
    max_flips: float = Field(default=0.01, ge=0, le=1, description="The share of decisions that may change.")
    max_f1_change: float = Field(default=0.002, ge=0, le=1, description="By how much F1 may change in any task.")
    seed: int = Field(default=0, description="Which texts are drawn.")
