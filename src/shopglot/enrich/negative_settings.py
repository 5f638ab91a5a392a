"""What a person may choose about made negatives."""

from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

NegativeKind = Literal["sibling", "cousin", "nearest-name", "embedding", "random"]
NEGATIVE_KINDS: Final[tuple[NegativeKind, ...]] = get_args(NegativeKind)

IN_TREE: Final[tuple[NegativeKind, ...]] = ("sibling", "cousin")
"""The kinds that only targets with a category have."""


class NegativeSettings(BaseModel):
    """How many irrelevant pairs are made, and how hard they are."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    per_positive: float = Field(default=0.6, gt=0, description="Made negatives per relevant pair, on average.")
    shares: dict[NegativeKind, Annotated[float, Field(gt=0)]] = Field(
        default={"sibling": 0.5, "cousin": 0.15, "nearest-name": 0.15, "random": 0.2},
        min_length=1,
        description="The kinds that are made, each with its weight among them; `random` is the easy one.",
    )
    nearest: int = Field(
        default=10, ge=1, description="From how many nearest targets `nearest-name` and `embedding` draw."
    )
    nearest_among: int = Field(
        default=20_000,
        ge=2,
        description="Among how many targets, drawn at random where there are more, those are sought.",
    )
    limit: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="A pair is refused where a model, if one is given, puts it at or above this.",
    )
