"""Release gates: what may not get worse, as a sentence that a person can read and a program can hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from shopglot.core.errors import RecipeError
from shopglot.report.figures import count, points, points_interval
from shopglot.report.measure import Difference

OVERALL: Final = "overall"
_PARTS: Final = (
    (
        "`no language`, `no task`, `no slice COLUMN` or `overall not`",
        r"(?:no (?P<over>language|task|slice (?P<column>.+?)(?= worse ))|overall not)(?= |$)",
    ),
    ("`worse than`", r" ?worse than(?= |$)"),
    ("a difference of F1 from -1 to 1, such as -0.005", r" ?(?P<least>[-+]?(?:0?\.\d+|[01](?:\.0*)?))(?= |$)"),
    ("nothing more than `F1` and `at 95%`", r"(?: F1)?(?P<sure> at 95 ?%)?$"),
)
_EXAMPLE: Final = "no language worse than -0.005 at 95%"


class GateFailure(BaseModel):
    """A slice that does not hold: it is worse than allowed `by` so much F1.

    `worse` is false where the difference itself is allowed and only its lower bound is not.
    """

    model_config = ConfigDict(frozen=True)

    slice: str
    by: float
    worse: bool
    difference: Difference

    def __str__(self) -> str:
        """Return the failure as a line for people."""
        found = f"{points(self.difference.f1)} points ({points_interval(self.difference.interval)})"
        reason = "worse" if self.worse else "not sure"
        pairs = count(self.difference.count)
        return f"{self.slice}: {reason}, {found} on {pairs} pairs, {100 * self.by:.2f} points under the gate"


class GateResult(BaseModel):
    """A gate with the slices that fail it, the furthest below first."""

    model_config = ConfigDict(frozen=True)

    gate: str
    failures: tuple[GateFailure, ...]

    @property
    def holds(self) -> bool:
        """Whether no slice fails."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Gate:
    """The least difference of F1, new minus base, that each slice of a kind may have.

    `over` is "overall", "task", "language" or a column of the files. `sure`: the lower bound of the 95 % interval
    counts in place of the difference.
    """

    text: str
    over: str
    least: float
    sure: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the gate that `text` says; raises RecipeError with what was expected, and where.

        >>> Gate.parse("no language worse than -0.005 at 95%")
        Gate(text='no language worse than -0.005 at 95%', over='language', least=-0.005, sure=True)
        >>> Gate.parse("overall not worse than 0 F1").sure
        False
        """
        said, at = " ".join(text.split()).replace("−", "-"), 0
        found: dict[str, Any] = {}
        for expected, pattern in _PARTS:
            match = re.compile(pattern).match(said, at)
            if match is None:
                place = f"at {said[at:].strip()!r}" if said[at:].strip() else "at its end"
                raise RecipeError(f"--gate {text!r} needs {expected} {place}; write, for example, {_EXAMPLE!r}")
            found |= match.groupdict()
            at = match.end()
        return cls(said, found["column"] or found["over"] or OVERALL, float(found["least"]), found["sure"] is not None)

    def check(self, differences: Mapping[str, Difference]) -> GateResult:
        """Return which of the slices fail; what is exactly the least allowed holds."""
        failures = [
            GateFailure(slice=name, by=self.least - reached, worse=each.f1 < self.least, difference=each)
            for name, each in differences.items()
            if (reached := each.interval[0] if self.sure else each.f1) < self.least
        ]
        return GateResult(gate=self.text, failures=tuple(sorted(failures, key=lambda failure: -failure.by)))
