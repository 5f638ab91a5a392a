"""The parity gate: how far two artefacts of one model are from deciding alike."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import polars as pl

from shopglot.core.errors import BundleError
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided
from shopglot.merge.intervals import Interval, f1_difference

WORST: Final = 10
_REPETITIONS: Final = 1_000
_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Parity:
    """How the decisions of `new` differ from those of `base` on the same pairs.

    Differences are of calibrated probabilities. `flips` is the share of pairs whose decision changed, each side at its
    own thresholds, with the 95 % interval of Wilson. `f1` is F1(`new`) - F1(`base`) per task on the labelled pairs,
    with its bootstrap interval over query groups; a task without labels of both classes is absent.
    """

    pairs: int
    largest: float
    mean: float
    flips: float
    flips_interval: Interval
    f1: dict[Task, float]
    f1_intervals: dict[Task, Interval]
    worst: pl.DataFrame

    @classmethod
    def of(cls, pairs: Pairs, base: Decided, new: Decided, *, seed: int = 0) -> Self:
        """Return the parity of two decisions about `pairs`; there is at least one."""
        change = np.abs(new.probability - base.probability)
        flipped = new.decision != base.decision
        f1, intervals = _f1_changes(pairs, base, new, seed)
        return cls(
            pairs=len(pairs),
            largest=float(change.max()),
            mean=float(change.mean()),
            flips=float(flipped.mean()),
            flips_interval=wilson(int(flipped.sum()), len(pairs)),
            f1=f1,
            f1_intervals=intervals,
            worst=_worst(pairs, base, new),
        )

    def faults(self, *, max_flips: float, max_f1_change: float) -> list[str]:
        """Return what is over the limits, one phrase each."""
        faults = []
        if self.flips > max_flips:
            faults.append(f"{self.flips:.2%} of the decisions flip, and {max_flips:.2%} may")
        faults.extend(
            f"F1 of {task} changes by {change:+.4f}, and {max_f1_change} is allowed"
            for task, change in self.f1.items()
            if abs(change) > max_f1_change
        )
        return faults

    def check(self, *, max_flips: float, max_f1_change: float) -> None:
        """Raise BundleError where decisions or F1 change by more than this, naming the worst pairs."""
        if faults := self.faults(max_flips=max_flips, max_f1_change=max_f1_change):
            named = "; ".join(
                f"{row['id']} ({row['query']!r}, {row['target']!r}: {row['base']:.3f} became {row['new']:.3f})"
                for row in self.worst.head(3).iter_rows(named=True)
            )
            raise BundleError(
                f"the packed model does not decide as before on {self.pairs} pairs: {', '.join(faults)}; the worst are "
                f"{named}; pack with --precision bf16 or fp32, or allow more"
            )

    @property
    def facts(self) -> dict[str, Any]:
        """The figures as JSON, without the pairs."""
        return {
            "pairs": self.pairs,
            "largest": round(self.largest, 6),
            "mean": round(self.mean, 6),
            "flips": round(self.flips, 6),
            "flips_interval": [round(bound, 6) for bound in self.flips_interval],
            "f1_change": {task: round(change, 6) for task, change in self.f1.items()},
            "f1_interval": {task: [round(b, 6) for b in bounds] for task, bounds in self.f1_intervals.items()},
        }


def wilson(hits: int, trials: int) -> Interval:
    """Return the 95 % interval of a share (Wilson, 1927), which says something of zero hits too.

    >>> [round(bound, 4) for bound in wilson(0, 400)]
    [0.0, 0.0095]
    """
    share, z2 = hits / trials, _Z**2
    centre = share + z2 / (2 * trials)
    reach = _Z * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    scale = 1 + z2 / trials
    return max(0.0, float((centre - reach) / scale)), min(1.0, float((centre + reach) / scale))


def _f1_changes(pairs: Pairs, base: Decided, new: Decided, seed: int) -> tuple[dict[Task, float], dict[Task, Interval]]:
    changes: dict[Task, float] = {}
    intervals: dict[Task, Interval] = {}
    labelled = pairs["label"].is_not_null().to_numpy()
    for task in pairs.tasks:
        rows = labelled & (pairs["task"] == task).to_numpy()
        own = pairs.filter(rows)
        if own["label"].n_unique() < 2:  # noqa: PLR2004
            continue
        before, after = (
            Judged(name, own, side.probability[rows], side.decision[rows])
            for name, side in (("base", base), ("new", new))
        )
        changes[task] = _f1(after) - _f1(before)
        everything = np.ones(len(own), dtype=np.bool_)
        intervals[task] = f1_difference(after, before, everything, repetitions=_REPETITIONS, seed=seed)
    return changes, intervals


def _f1(judged: Judged) -> float:
    return Confusion.of(judged.pairs.labels, judged.decision).f1


def _worst(pairs: Pairs, base: Decided, new: Decided) -> pl.DataFrame:
    """Return the pairs whose decision flipped first, and the largest differences first among them."""
    shown = pairs.frame.select("id", "task", "language", "query", "target").with_columns(
        base=pl.Series(base.probability),
        new=pl.Series(new.probability),
        flipped=pl.Series(base.decision != new.decision),
    )
    change = (pl.col("new") - pl.col("base")).abs()
    return shown.sort("flipped", change, descending=True, maintain_order=True).head(WORST)
