"""Judged pairs out of thin air, with known qualities."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from shopglot.core.judged import Judged
from shopglot.core.pairs import Pairs
from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decision, TaskDecision
from shopglot.merge.slices import SliceThreshold
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, summarise

CHOSEN = Decision(
    tasks={
        task: TaskDecision(
            calibration=Calibration(kind="none"),
            threshold=threshold,
            prior=0.65,
            slices=(
                SliceThreshold(language="fr", relevant=61, threshold=0.433),
                SliceThreshold(language="fr", category="shoes", relevant=44, threshold=0.377),
            ),
            labelled=("en", "fr", "ja"),
            unlabelled=0.299,
        )
        for task, threshold in (("QC", 0.412), ("QI", 0.525))
    }
)


def judged(  # noqa: PLR0913
    name: str = "test",
    *,
    queries: int = 60,
    per_query: int = 5,
    task: str = "QC",
    languages: Sequence[str | None] = ("en", "fr", "ja"),
    skill: float = 1.5,
    folds: int | None = None,
    seed: int = 3,
) -> Judged:
    """Return pairs whose probability rises with `skill`; the labels are the same whatever the skill."""
    count = queries * per_query
    query = np.repeat(np.arange(queries), per_query)
    labels = np.random.default_rng(seed).random(count) < 0.65
    noise = np.random.default_rng([seed, int(10 * skill)]).normal(size=count)
    probability = 1 / (1 + np.exp(-(skill * (2 * labels - 1) + noise)))
    frame = pl.DataFrame(
        {
            "id": [f"{task}-{row}" for row in range(count)],
            "task": [task] * count,
            "query": [f"query {number}" for number in query],
            "target": ["shoes,boots"] * count,
            "language": [languages[int(number) % len(languages)] for number in query],
            "label": labels.astype(np.int8),
            "seen_type": ["seen" if number % 2 else "unseen" for number in query],
        }
    )
    fold = None if folds is None else pl.Series([str(number % folds) for number in query])
    return Judged(name, Pairs.from_frame(frame), probability, probability >= 0.5, fold)


def both_tasks(name: str, *, skill: float = 1.5, folds: int | None = None, queries: int = 60) -> Judged:
    """Return pairs of both tasks in one."""
    parts = [judged(name, task=task, skill=skill, folds=folds, queries=queries) for task in ("QC", "QI")]
    return Judged(
        name,
        Pairs.concat(part.pairs for part in parts),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.decision for part in parts]),
        None if folds is None else pl.concat([part.fold for part in parts if part.fold is not None]),
    )


def small_report(
    *, languages: tuple[str, ...] = ("en", "fr"), name: str = "tiny", labels: list[int] | None = None
) -> Report:
    """Return the report of a hundred pairs."""
    found = judged("dev", queries=20, languages=languages)
    if labels is not None:
        frame = found.pairs.frame.with_columns(label=pl.Series(labels, dtype=pl.Int8))
        found = Judged("dev", Pairs(frame), found.probability, found.decision)
    return summarise(name, [found], {}, ReportSettings(bootstrap=100), seed=1, thresholds={"QC": 0.4})
