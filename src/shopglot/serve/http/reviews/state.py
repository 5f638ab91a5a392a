"""How far a review is, as a whole and pair by pair."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.reviews.suspects import Suspect

Choice = Literal["keep", "flip", "drop", "skip"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class State:
    """What stands about a pair: the choice, None where there is none, and whose it is.

    `version` counts the decisions about the pair; whoever decides names the one that was seen. A choice that the review
    file itself brought has version 0 and may be `weight` with a number.
    """

    version: int
    choice: str | None
    note: str
    person: str
    at: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A suspect and what stands about it."""

    suspect: Suspect
    state: State


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the pairs have a choice, by choice and by person."""

    total: int
    choices: dict[str, int]
    persons: dict[str, int]

    @property
    def skipped(self) -> int:
        """How many pairs somebody was not sure of."""
        return self.choices.get("skip", 0)

    @property
    def done(self) -> int:
        """How many pairs were decided."""
        return sum(self.choices.values()) - self.skipped

    @property
    def left(self) -> int:
        """How many pairs nobody has looked at."""
        return self.total - self.done - self.skipped


class Conflict(ServeError):
    """A decision that was made on an older state of the pair than stands."""

    def __init__(self, reviewed: Reviewed) -> None:
        """Take what stands."""
        super().__init__(409, "Conflict", "this pair was decided in the meantime; yours was not saved")
        self.reviewed = reviewed
