"""What it costs a language that it has no labels, told by those that have some."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Confusion
from shopglot.merge.decide import TaskDecision
from shopglot.merge.intervals import Groups, Interval, f1_interval
from shopglot.merge.left_out import labelled_languages
from shopglot.merge.settings import Unlabelled
from shopglot.report.measure import ALL, Difference, difference
from shopglot.report.settings import ReportSettings

_FEWEST: Final = 2


class NewLanguage(BaseModel):
    """The cross-fitted F1 of a language, and what it changes by if calibration and threshold know no label of it.

    `left_out` has the threshold of languages that were left out in turn, `task` that of the task.
    """

    model_config = ConfigDict(frozen=True)

    f1: float
    f1_interval: Interval
    all_positive_f1: float
    left_out: Difference
    task: Difference


class NewLanguages(BaseModel):
    """One task: the threshold that ships for languages without labels, and what they cost, `all` first."""

    model_config = ConfigDict(frozen=True)

    threshold: float
    languages: dict[str, NewLanguage]


def new_languages(
    known: Judged,
    unlabelled: Mapping[Unlabelled, Judged],
    groups: Groups,
    decision: TaskDecision,
    settings: ReportSettings,
    *,
    seed: int,
) -> NewLanguages | None:
    """Return what the labels of each language are worth to it, or None where fewer than two have both classes.

    `known` judges the pairs of one task out of fold, and `unlabelled` the same as if their language had no labels.
    `groups` are their `query_groups`.
    """
    language, names = known.pairs["language"], labelled_languages(known.pairs)
    if len(names) < _FEWEST:
        return None
    rows = {name: language.eq_missing(name).to_numpy() for name in names}
    slices = {ALL: np.logical_or.reduce(list(rows.values())), **rows}
    return NewLanguages(
        threshold=decision.threshold if decision.unlabelled is None else decision.unlabelled,
        languages={name: _language(known, unlabelled, groups, own, settings, seed) for name, own in slices.items()},
    )


def _language(
    known: Judged,
    unlabelled: Mapping[Unlabelled, Judged],
    groups: Groups,
    rows: Mask,
    settings: ReportSettings,
    seed: int,
) -> NewLanguage:
    labels, decision = known.pairs.labels[rows], known.decision[rows]
    return NewLanguage(
        f1=Confusion.of(labels, decision).f1,
        f1_interval=f1_interval(known, rows, repetitions=settings.bootstrap, seed=seed, groups=groups),
        all_positive_f1=Confusion.of(labels, np.ones_like(decision)).f1,
        left_out=difference(unlabelled["left-out"], known, rows, settings, seed, groups=groups),
        task=difference(unlabelled["task"], known, rows, settings, seed, groups=groups),
    )
