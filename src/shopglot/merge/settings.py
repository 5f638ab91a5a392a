"""Settings of the merge: a recipe has them under `merge`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CalibrationKind = Literal["temperature", "isotonic", "none"]
Per = Literal["none", "language", "category"]
Unlabelled = Literal["left-out", "task"]
"""Where a language without labels has its threshold from."""


class F1Goal(BaseModel):
    """A threshold for the highest F1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: Literal["f1"] = Field("f1", description="What the threshold is chosen for.")


class PrecisionGoal(BaseModel):
    """A threshold for the highest precision among those that find enough of the relevant pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: Literal["precision"] = Field(description="What the threshold is chosen for.")
    recall: float = Field(gt=0, le=1, description="The least share of relevant pairs that must be found.")


class CostGoal(BaseModel):
    """A threshold for the lowest cost of wrong decisions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: Literal["cost"] = Field(description="What the threshold is chosen for.")
    false_positive: float = Field(gt=0, description="What it costs to call an irrelevant pair relevant.")
    false_negative: float = Field(gt=0, description="What it costs to miss a relevant pair.")


Goal = Annotated[F1Goal | PrecisionGoal | CostGoal, Field(discriminator="goal")]


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
    threshold: Goal = Field(
        F1Goal(), description="What thresholds are chosen for: `f1`, `precision` at a recall, or `cost`."
    )
    per: Per = Field(
        "none",
        description="Have one threshold per task, one per language too, or one per language and top category too.",
    )
    shrinkage: float = Field(
        300.0,
        ge=0,
        description="Relevant pairs with which a slice's own threshold counts as much as that of its parent.",
    )
    unlabelled: Unlabelled = Field(
        "left-out",
        description="Give languages without labels a threshold chosen on languages that were each left out in turn, "
        "or that of their task.",
    )
    ship: Literal["folds", "refit"] = Field(
        "folds", description="Ship the average of the fold models, or one model refitted on all folds."
    )
