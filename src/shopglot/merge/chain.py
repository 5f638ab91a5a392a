"""Weights, calibration and threshold as one thing, learned from out-of-fold scores and judged across folds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.metrics import Floats, Labels
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import OutOfFold, Scores
from shopglot.merge.blend import blended
from shopglot.merge.calibrate import fit_calibration
from shopglot.merge.decide import Choice, Decision, TaskDecision
from shopglot.merge.left_out import labelled_languages, left_out_threshold
from shopglot.merge.settings import MergeSettings, Unlabelled
from shopglot.merge.slices import slice_thresholds
from shopglot.merge.threshold import steady_threshold
from shopglot.merge.weights import fit_weights

UNLABELLED: Final[tuple[Unlabelled, ...]] = ("left-out", "task")
CHOICES: Final[tuple[Choice, ...]] = ("0.5", "none", "language", "category")


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """From the models' scores to a decision: the weight of each model per task, and what follows the blend."""

    weights: Mapping[Task, Mapping[str, float]]
    decision: Decision


def fit_chain(pairs: Pairs, oof: OutOfFold, settings: MergeSettings) -> Chain:
    """Return the chain learned from the labelled pairs that every model of their task scored out of fold.

    A model counts for a task as soon as it scored one of its pairs. Raises DataError for a task whose pairs are all
    relevant or all irrelevant.
    """
    weights: dict[Task, dict[str, float]] = {}
    tasks: dict[Task, TaskDecision] = {}
    for evidence in _per_task(pairs, oof):
        vector, tasks[evidence.task] = _fit(evidence, evidence.pairs.readable, settings)
        weights[evidence.task] = dict(zip(evidence.models, vector.tolist(), strict=True))
    return Chain(weights, Decision(tasks=tasks))


def cross_fitted(pairs: Pairs, oof: OutOfFold, settings: MergeSettings) -> Judged:
    """Return the judgement of each fold by the chain fitted on the other folds, first all of QC, then all of QI.

    It covers the pairs that `fit_chain` learns from, and those without a text, which get the prior.
    """
    return _together([_judged(each, _fold_decisions(each, settings)) for each in _per_task(pairs, oof)])


def cross_fitted_choices(pairs: Pairs, oof: OutOfFold, settings: MergeSettings) -> dict[Choice, Judged]:
    """Return what `cross_fitted` returns for the settings with each choice of thresholds in place of their own.

    Weights and calibration are the same for all, so that the differences are what the thresholds are worth.
    """
    finest = settings.model_copy(update={"per": "category"})
    fitted = [(evidence, list(_fold_decisions(evidence, finest))) for evidence in _per_task(pairs, oof)]
    return {
        choice: _together(
            [
                _judged(each, [fold._replace(decision=fold.decision.at(choice)) for fold in folds])
                for each, folds in fitted
            ]
        )
        for choice in CHOICES
    }


def cross_fitted_unlabelled(pairs: Pairs, oof: OutOfFold, settings: MergeSettings) -> dict[Unlabelled, Judged]:
    """Return what `cross_fitted` returns if the language of each pair had no labels, by how its threshold is chosen.

    A fold of a language is judged by weights, calibration and threshold that were fitted on the other folds of the
    other languages. The models themselves did learn from it: a language that they never saw will be judged worse.
    """
    fitted = [(evidence, list(_unlabelled_decisions(evidence, settings))) for evidence in _per_task(pairs, oof)]
    changes: dict[Unlabelled, dict[str, None]] = {"left-out": {}, "task": {"unlabelled": None}}
    return {
        how: _together(
            [
                _judged(each, [fold._replace(decision=fold.decision.model_copy(update=change)) for fold in folds])
                for each, folds in fitted
            ]
        )
        for how, change in changes.items()
    }


def redecide(pairs: Pairs, scores: Scores, settings: MergeSettings, rates: Mapping[Task, float]) -> Decision:
    """Return calibration and threshold for the scorer that ships, from its scores of pairs that it never saw.

    `rates` are the shares of relevant pairs in the data that the pairs come from. Where queries and categories are
    both kept apart, the pairs that can judge are more often relevant than others; each class is counted as often as
    the rates say, so that probabilities and thresholds fit the data and not the part (prior shift, Saerens 2002).

    A mean of fold models, a refit, a student or an int8 model has other scores than the models of the folds, so it
    decides by the labelled rows of the `tune` part. Raises DataError for a task with one class only.
    """
    known = pairs["label"].is_not_null().to_numpy() & pairs.readable
    tasks: dict[Task, TaskDecision] = {}
    for task in pairs.tasks:
        rows = known & (pairs["task"] == task).to_numpy()
        own = pairs.filter(rows)
        _require_both_classes(task, own.labels)
        tasks[task] = _decision(own, scores[rows], settings, rates[task])
    return Decision(tasks=tasks)


@dataclass(frozen=True, eq=False, slots=True)
class _Evidence:
    """The labelled pairs of one task that all its models scored; `scores` has the shape (rows, models)."""

    task: Task
    pairs: Pairs
    models: tuple[str, ...]
    scores: Floats
    fold: pl.Series


def _per_task(pairs: Pairs, oof: OutOfFold) -> list[_Evidence]:
    labelled, found = pairs.labelled, []
    for task in labelled.tasks:
        own = labelled.of_task(task)
        scored = OutOfFold(oof.frame.filter(pl.col("id").is_in(own["id"].implode())))
        if not scored.models:
            continue
        if scored.frame.n_unique("id") < scored.frame.n_unique(["id", "fold"]):
            raise DataError(f"the models of task {task} were validated on different folds; give them the same folds")
        judged = scored.judged(own)
        if not len(judged):
            raise DataError(
                f"no pair of task {task} was scored by all of {', '.join(scored.models)}; cross-validate again"
            )
        scores = np.column_stack([scored.scores(judged, model) for model in scored.models])
        found.append(_Evidence(task, judged, scored.models, scores, scored.folds(judged)))
    if not found:
        raise DataError("no labelled pair has an out-of-fold score; cross-validate the models on these pairs first")
    return found


class _FoldDecision(NamedTuple):
    """How a fold is decided by what the others taught: its rows with their blended scores."""

    rows: Mask
    raw_scores: Scores
    decision: TaskDecision


def _fold_decisions(evidence: _Evidence, settings: MergeSettings) -> Iterator[_FoldDecision]:
    readable = evidence.pairs.readable
    for name in evidence.fold.unique().sort():
        inside = (evidence.fold == name).to_numpy()
        weights, own = _fit(evidence, readable & ~inside, settings)
        yield _FoldDecision(inside, blended(evidence.scores[inside], weights), own)


def _unlabelled_decisions(evidence: _Evidence, settings: MergeSettings) -> Iterator[_FoldDecision]:
    """Yield each fold of each language; where what is left has one class only, it may learn from the language."""
    readable, language = evidence.pairs.readable, evidence.pairs["language"]
    coarse = settings.model_copy(update={"per": "none", "unlabelled": "left-out"})
    for name in evidence.fold.unique().sort():
        inside = (evidence.fold == name).to_numpy()
        for own in language.filter(inside).unique().sort():
            spoken = language.eq_missing(pl.Series([own], dtype=pl.String)).to_numpy()
            rows, others = inside & spoken, readable & ~inside
            apart = others & ~spoken
            left_out = own is not None and _has_both(evidence.pairs.labels[apart])
            weights, decision = _fit(evidence, apart if left_out else others, coarse)
            yield _FoldDecision(rows, blended(evidence.scores[rows], weights), decision)


def _judged(evidence: _Evidence, folds: Iterable[_FoldDecision]) -> Judged:
    probability, decision = np.empty(len(evidence.pairs)), np.empty(len(evidence.pairs), dtype=np.bool_)
    for rows, raw_scores, own in folds:
        decided = Decision(tasks={evidence.task: own}).decide(evidence.pairs.filter(rows), raw_scores)
        probability[rows], decision[rows] = decided.probability, decided.decision
    return Judged("out-of-fold", evidence.pairs, probability, decision, evidence.fold)


def _together(parts: Sequence[Judged]) -> Judged:
    return Judged(
        "out-of-fold",
        Pairs.concat(part.pairs for part in parts),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.decision for part in parts]),
        pl.concat([part.fold for part in parts if part.fold is not None]),
    )


def _fit(evidence: _Evidence, rows: Mask, settings: MergeSettings) -> tuple[Floats, TaskDecision]:
    pairs, scores = evidence.pairs.filter(rows), evidence.scores[rows]
    _require_both_classes(evidence.task, pairs.labels)
    equal = np.full(len(evidence.models), 1.0 / len(evidence.models))
    weights = fit_weights(pairs.labels, scores) if settings.blend == "weights" else equal
    return weights, _decision(pairs, blended(scores, weights), settings, float(pairs.labels.mean()))


def _decision(pairs: Pairs, raw_scores: Scores, settings: MergeSettings, rate: float) -> TaskDecision:
    labels = pairs.labels
    share = labels.mean()
    counts = np.where(labels == 1, rate / share, (1 - rate) / (1 - share))
    calibration = fit_calibration(labels, raw_scores, settings.calibration, counts)
    probability = calibration(raw_scores)
    threshold = steady_threshold(labels, probability, counts, settings.threshold)
    left_out = settings.unlabelled == "left-out"
    return TaskDecision(
        calibration=calibration,
        threshold=threshold,
        prior=rate,
        slices=slice_thresholds(pairs, probability, counts, threshold, settings),
        labelled=labelled_languages(pairs),
        unlabelled=left_out_threshold(pairs, raw_scores, counts, settings) if left_out else None,
    )


def _has_both(labels: Labels) -> bool:
    return 0 < int(np.sum(labels == 1)) < len(labels)


def _require_both_classes(task: Task, labels: Labels) -> None:
    relevant = int(np.sum(labels == 1))
    if not _has_both(labels):
        raise DataError(
            f"task {task} has {relevant} relevant and {len(labels) - relevant} irrelevant pairs to learn its decision "
            "from, and needs both; label more pairs, or deal fewer folds"
        )
