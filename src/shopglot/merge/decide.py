"""A score becomes a probability and a decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.core.errors import BundleError
from shopglot.core.folds import Mask
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.curate.settings import CurateSettings
from shopglot.merge.calibrate import Calibration
from shopglot.merge.settings import Per
from shopglot.merge.slices import SliceThreshold, per_slice, threshold_per_row

Choice = Literal["0.5"] | Per
"""Where thresholds come from: 0.5 whatever the labels say, or chosen per task, language or category."""


@dataclass(frozen=True, eq=False, slots=True)
class Decided:
    """What is decided about each pair, three arrays of shape (rows,): `decision` is `probability >= threshold`.

    `read` says by which text of its query: "original", "english" or "both", null where that is not known or nothing
    was read; None where nobody said. `stage` names the stage of a cascade that decided it.
    """

    probability: Scores
    decision: Mask
    threshold: Floats
    read: pl.Series | None = None
    stage: pl.Series | None = None


class Decider(Protocol):
    """What decides pairs, be it the bundle of one model or a cascade of several: each pair by itself."""

    @property
    def curate(self) -> CurateSettings:
        """How texts are cleaned before it reads them."""
        ...

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of `Pairs` that its answer may depend on beside task, query, English and target.

        A name that begins with ^ and ends in $ is a pattern.
        """
        ...

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return what is decided about each of these clean pairs."""
        ...

    def knowing(self, paths: Iterable[str]) -> "Decider":
        """Return the same for a shop that has these category paths too."""
        ...


class TaskDecision(BaseModel):
    """How one task decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calibration: Calibration = Field(description="The map from raw scores to probabilities.")
    threshold: float = Field(ge=0, le=1, description="The lowest probability that counts as relevant.")
    prior: float = Field(ge=0, le=1, description="The probability of a pair that has no text to judge.")
    slices: tuple[SliceThreshold, ...] = Field(
        (), description="Languages and categories with thresholds of their own; others have that of their parent."
    )
    labelled: tuple[str, ...] = Field((), description="The languages whose labels calibration and threshold are from.")
    unlabelled: float | None = Field(
        None, ge=0, le=1, description="The threshold of all other languages; null: that of the task."
    )

    @model_validator(mode="after")
    def _each_slice_once(self) -> Self:
        names = [(each.language, each.category) for each in self.slices]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"these slices have several thresholds: {twice}")
        return self

    def at(self, choice: Choice) -> "TaskDecision":
        """Return the decision with the thresholds of a coarser choice."""
        if choice == "0.5":
            return self.model_copy(update={"threshold": 0.5, "slices": (), "unlabelled": None})
        return self.model_copy(update={"slices": per_slice(self.slices, choice)})

    def threshold_per_row(self, pairs: Pairs) -> Floats:
        """Return the threshold of each pair, shape (rows,); a pair of no known language has that of the task."""
        known = threshold_per_row(pairs, self.threshold, self.slices)
        if self.unlabelled is None:
            return known
        new = ~pairs["language"].is_in(self.labelled).fill_null(value=True).to_numpy()
        return np.where(new, self.unlabelled, known)


class Decision(BaseModel):
    """Calibration and threshold per task; `model_dump_json` and `model_validate_json` carry it to another machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Mapping[Task, TaskDecision] = Field(description="How each task of the model decides.")

    @property
    def thresholds(self) -> dict[Task, float]:
        """The threshold of each task."""
        return {task: decision.threshold for task, decision in self.tasks.items()}

    def decide(self, pairs: Pairs, raw_scores: Scores) -> Decided:
        """Return what is decided about each of `pairs`, whose uncalibrated scores have shape (rows,).

        A pair without a query or a target gets its task's prior. Raises BundleError for a task that was never
        learned.
        """
        foreign = [task for task in pairs.tasks if task not in self.tasks]
        if foreign:
            raise BundleError(
                f"the model decides {' and '.join(self.tasks)}, not {' and '.join(foreign)}; leave those pairs out"
            )
        probability, threshold = np.empty(len(pairs)), self.threshold_per_row(pairs)
        readable = pairs.readable
        for task in pairs.tasks:
            rows, own = (pairs["task"] == task).to_numpy(), self.tasks[task]
            probability[rows] = own.prior
            written = rows & readable
            probability[written] = own.calibration(raw_scores[written])
        return Decided(probability, probability >= threshold, threshold)

    def threshold_per_row(self, pairs: Pairs) -> Floats:
        """Return the threshold of each pair, shape (rows,), whose tasks are those of the decision."""
        threshold = np.empty(len(pairs))
        for task in pairs.tasks:
            rows = (pairs["task"] == task).to_numpy()
            threshold[rows] = self.tasks[task].threshold_per_row(pairs.filter(rows))
        return threshold
