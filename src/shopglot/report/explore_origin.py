"""Where explored pairs come from, and which rows are left out."""

import polars as pl
from pydantic import BaseModel


class Reason(BaseModel, frozen=True):
    """Rows that figures leave out, and where the first one stands."""

    reason: str
    rows: int
    first: str | None


class Origin(BaseModel, frozen=True):
    """Where the pairs come from, and what was asked of them."""

    files: tuple[str, ...]
    against: tuple[str, ...]
    rows: int
    left_out: tuple[Reason, ...]
    corrected: bool
    tokenizer: str | None
    simulated: bool


def set_aside(quarantine: pl.DataFrame) -> tuple[Reason, ...]:
    """Return why rows could not be read as pairs, the most frequent reason first."""
    place = pl.format("{} line {}", "file", "line").first()
    reasons = quarantine.group_by("reason", maintain_order=True).agg(rows=pl.len(), first=place)
    return tuple(Reason.model_validate(row) for row in reasons.sort("rows", descending=True).to_dicts())
