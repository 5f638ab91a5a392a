"""Settings of the simulated marketplace."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

FEWEST_PAIRS: Final = 100
MOST_NOISE: Final = 0.5


class SimulateSettings(BaseModel):
    """How much of the simulated marketplace is written, and how clean it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int = Field(20_000, ge=FEWEST_PAIRS, description="Pairs in all four files together.")
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes.")
    label_noise: float = Field(0.0, ge=0.0, le=MOST_NOISE, description="The share of labels that are flipped.")
    dev_labels: bool = Field(True, description="Whether the dev files carry labels, which the real ones do not.")
