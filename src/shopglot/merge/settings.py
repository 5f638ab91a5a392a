"""Settings of the merge: a recipe has them under `merge`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CalibrationKind = Literal["temperature", "isotonic", "none"]


class MergeSettings(BaseModel):
    """How out-of-fold scores become one scorer and one decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    blend: Literal["mean", "weights"] = Field(
        "weights", description="Give every model the same weight, or weights fitted on out-of-fold scores."
    )
    calibration: CalibrationKind = Field(
        "temperature",
        description="How scores become probabilities: slope and intercept on the log odds, steps, or not.",
    )
    ship: Literal["folds", "refit"] = Field(
        "folds", description="Ship the average of the fold models, or one model refitted on all folds."
    )
