"""Hand-written deciders, and evidence drawn by a seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decided, Decision, TaskDecision
from shopglot.serve.cascade import Cost
from shopglot.serve.routings import Evidence, Said

PLAIN = Decision(
    tasks={task: TaskDecision(calibration=Calibration(kind="none"), threshold=0.5, prior=0.3) for task in ("QC", "QI")}
)

CURATE = CurateSettings(correct_language=False)


@dataclass(frozen=True, eq=False, slots=True)
class ByColumn:
    """Decides each pair by the probability in one of the file's own columns; keeps the ids that it was asked."""

    column: str
    decision: Decision = PLAIN
    curate: CurateSettings = CURATE
    known: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    @property
    def columns_read(self) -> tuple[str, ...]:
        return (f"own:{self.column}",)

    def score_clean(self, pairs: Pairs) -> Decided:
        self.asked.extend(pairs["id"].to_list())
        decided = self.decision.decide(pairs, pairs[f"own:{self.column}"].to_numpy())
        return replace(decided, read=pl.Series([self.column], dtype=pl.String).new_from_index(0, len(pairs)))

    def knowing(self, paths: Iterable[str]) -> "ByColumn":
        return replace(self, known=self.known | set(paths))


def table(columns: Mapping[str, list[float]], tasks: list[str] | None = None) -> Pairs:
    """Return pairs with the probabilities of each decider in a column of its name."""
    rows = len(next(iter(columns.values())))
    frame = {"task": tasks or ["QC", "QI"] * (rows // 2) + ["QC"] * (rows % 2), "query": ["tea"] * rows}
    return Pairs.from_frame(pl.DataFrame({**frame, "target": [f"shelf {n}" for n in range(rows)], **columns}))


def evidence(rows: int, noises: list[float], seed: int = 0) -> Evidence:
    """Return evidence of stages that err the less, and cost the more, the later they come."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.5, 2.0, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    stages = []
    for number, noise in enumerate(noises):
        probability = 1 / (1 + np.exp(-(truth + rng.normal(0.0, noise, rows))))
        stages.append(Said(probability, probability >= 0.4, Cost(1e-5 * 10**number, 2e-5 * 10**number)))
    return Evidence(labels, rng.integers(0, 5, rows), tuple(stages))
