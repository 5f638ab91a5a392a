"""Settings of a sweep: which keys of a recipe are varied, and over which values."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, JsonValue, Tag, model_validator


class Range(BaseModel):
    """Numbers between two ends; only whole ones where both ends are whole, such as 8 and 64 but not 8.0 and 64.0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | FiniteFloat = Field(description="The lowest value.")
    high: int | FiniteFloat = Field(description="The highest value.")
    log: bool = Field(default=False, description="Draw the value's logarithm, as suits learning rates.")

    @model_validator(mode="after")
    def _can_be_drawn_from(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high is {self.high:g}; let low be below high")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low:g}, which has no logarithm; let low be above 0, or leave `log` out")
        return self

    @property
    def corners(self) -> tuple[JsonValue, ...]:
        """Both ends: where a recipe takes these, it takes what lies between."""
        return (self.low, self.high)


class Choices(BaseModel):
    """Values of any kind, tried one or another, without an order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: tuple[JsonValue, ...] = Field(
        min_length=1, description="The values: numbers, texts, null, lists or parts."
    )

    @property
    def corners(self) -> tuple[JsonValue, ...]:
        """All of them."""
        return self.choices


def _kind(given: Any) -> str:
    named = isinstance(given, dict) and "choices" in given
    return "choices" if named or isinstance(given, Choices) else "range"


Domain = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(_kind),
]


class SweepSettings(BaseModel):
    """What `shopglot sweep` tries; `shopglot run` takes no notice of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(default=20, ge=1, description="Trials in all; a finished sweep goes on when there are more.")
    space: dict[str, Domain] = Field(
        min_length=1,
        description="For each dotted key under format, learn or merge, such as `learn.1.contrast.learning_rate`, a "
        "range or choices.",
    )
