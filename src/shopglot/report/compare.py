"""Runs over the same pairs, held against the first of them: what changed, where, and how sure that is."""

from collections.abc import Mapping, Sequence
from math import hypot
from typing import Any, Final

import polars as pl
from pydantic import BaseModel, ConfigDict

from shopglot.core.errors import RecipeError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.report.ablation import AblationRow, ablation_rows
from shopglot.report.align import aligned
from shopglot.report.gate import OVERALL, Gate, GateResult
from shopglot.report.kept import Side
from shopglot.report.measure import Difference, Measures, difference, values_of
from shopglot.report.settings import ReportSettings

EXAMPLES: Final = 5
"""Flips of each kind that a slice shows."""
_LANGUAGE: Final = "language"


class Flip(BaseModel):
    """A pair that is decided otherwise, with both probabilities."""

    model_config = ConfigDict(frozen=True)

    id: str
    language: str | None
    query: str
    english: str | None
    target: str
    label: int
    base: float
    new: float


class SliceComparison(BaseModel):
    """Base and new on some pairs; `difference` is F1 of new minus base.

    `gained` pairs are right in new alone and `lost` ones in base alone; `p_value` is that of McNemar's exact test on
    them, and `flips` shows the pairs of each kind whose probability moved furthest.
    """

    model_config = ConfigDict(frozen=True)

    base: Measures
    new: Measures
    difference: Difference
    gained: int
    lost: int
    p_value: float
    flips: dict[str, list[Flip]]


class TaskComparison(SliceComparison):
    """One task, and its slices by column and value."""

    slices: dict[str, dict[str, SliceComparison]]


class RunComparison(BaseModel):
    """A new run against the base; `overall` is the difference of F1avg, the mean of the tasks' F1."""

    model_config = ConfigDict(frozen=True)

    name: str
    overall: Difference
    tasks: dict[Task, TaskComparison]
    gates: list[GateResult] = []

    def differences(self, over: str) -> dict[str, Difference]:
        """Return the differences that a gate is about, by the name of the slice; raises RecipeError for no column."""
        if over == OVERALL:
            return {OVERALL: self.overall}
        if over == "task":
            return {task: found.difference for task, found in self.tasks.items()}
        columns = {column: None for found in self.tasks.values() for column in found.slices}
        if over not in columns:
            raise RecipeError(f"no pair has the column {over!r} for a gate; there are {', '.join(columns)}")
        return {
            f"{task} {value}": each.difference
            for task, found in self.tasks.items()
            for value, each in found.slices.get(over, {}).items()
        }

    def under(self, gates: Sequence[Gate]) -> "RunComparison":
        """Return the comparison with what each gate says of it."""
        results = [gate.check(self.differences(gate.over)) for gate in gates]
        return self.model_copy(update={"gates": results})


class Comparison(BaseModel):
    """The tree of `compare.json`."""

    model_config = ConfigDict(frozen=True)

    base: str
    measured_on: str
    simulated: bool
    runs: list[RunComparison]
    ablation: list[AblationRow]

    @property
    def holds(self) -> bool:
        """Whether every gate holds for every run."""
        return all(result.holds for run in self.runs for result in run.gates)

    def to_json(self) -> dict[str, Any]:
        """Return the tree of `compare.json`."""
        return {"holds": self.holds, **self.model_dump(mode="json")}


def compare_sides(
    sides: Sequence[Side], gates: Sequence[Gate] = (), on: str | None = None, settings: ReportSettings | None = None
) -> Comparison:
    """Return what each later side changes against the first, on the evidence `on`, and what each gate says of it.

    Raises what `aligned` raises, and RecipeError for a gate over a column that no pair has.
    """
    measured_on, (base, *others) = aligned(sides, on)
    columns = _columns(sides[0], base.pairs, gates)
    ablation, settings = ablation_rows(sides, measured_on), settings or ReportSettings()
    return Comparison(
        base=sides[0].name,
        measured_on=measured_on,
        simulated=any(row.simulated for row in ablation),
        runs=[
            _compare_run(side.name, base, new, columns, settings).under(gates)
            for side, new in zip(sides[1:], others, strict=True)
        ],
        ablation=ablation,
    )


def _columns(base: Side, pairs: Pairs, gates: Sequence[Gate]) -> dict[str, pl.Series]:
    """Return what to slice by: the columns that a run kept, of a scored file those of the gates, and the language."""
    own = pairs.own_columns()
    names = own.columns if base.recipe is not None else [gate.over for gate in gates if gate.over in own.columns]
    return {**{name: own[name] for name in names}, _LANGUAGE: pairs["language"]}


def _compare_run(
    name: str, base: Judged, new: Judged, columns: Mapping[str, pl.Series], settings: ReportSettings
) -> RunComparison:
    tasks: dict[Task, TaskComparison] = {}
    for task in base.pairs.tasks:
        rows = (base.pairs["task"] == task).to_numpy()
        slices = {
            column: {
                value: _compare_slice(base, new, rows & inside, settings)
                for value, inside in values_of(series).items()
                if (rows & inside).any()
            }
            for column, series in columns.items()
        }
        whole = _compare_slice(base, new, rows, settings)
        tasks[task] = TaskComparison(**dict(whole), slices=slices)
    return RunComparison(name=name, overall=_overall([found.difference for found in tasks.values()]), tasks=tasks)


def _overall(tasks: Sequence[Difference]) -> Difference:
    """Return the mean of the tasks' differences; its interval is recovered from theirs (MOVER, Zou and Donner 2008)."""
    mean = sum(each.f1 for each in tasks) / len(tasks)
    below, above = (hypot(*(each.f1 - each.interval[bound] for each in tasks)) / len(tasks) for bound in (0, 1))
    return Difference(f1=mean, interval=(mean - below, mean + above), count=sum(each.count for each in tasks))


def _compare_slice(base: Judged, new: Judged, rows: Mask, settings: ReportSettings) -> SliceComparison:
    relevant = base.pairs.labels == 1
    flipped = rows & (base.decision != new.decision)
    gained, lost = flipped & (new.decision == relevant), flipped & (base.decision == relevant)
    return SliceComparison(
        base=Measures.of(base, rows),
        new=Measures.of(new, rows),
        difference=difference(new, base, rows, settings, seed=0),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        p_value=mcnemar(int(gained.sum()), int(lost.sum())),
        flips={"gained": _examples(base, new, gained), "lost": _examples(base, new, lost)},
    )


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: that flips go either way with the same chance.

    >>> round(mcnemar(10, 2), 4), mcnemar(0, 0)
    (0.0386, 1.0)
    """
    try:
        from scipy.stats import binomtest
    except ImportError as missing:
        raise RecipeError("McNemar's test needs scipy: pip install 'shopglot[train]'") from missing
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _examples(base: Judged, new: Judged, rows: Mask) -> list[Flip]:
    """Return the pairs whose probability moved furthest, of equal ones the first by id."""
    frame = base.pairs.frame.select("id", "language", "query", "english", "target", "label").with_columns(
        base=pl.Series(base.probability), new=pl.Series(new.probability)
    )
    moved = frame.filter(pl.Series(rows)).sort(-(pl.col("new") - pl.col("base")).abs(), "id")
    return [Flip(**row) for row in moved.head(EXAMPLES).rows(named=True)]
