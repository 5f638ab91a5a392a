"""The budget of a cascade: how well every routing decides for what it costs, and which one to take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from shopglot.core.errors import DataError
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.fold.hashing import unit_hash
from shopglot.serve.cascade.cascade import Cascade, Stage, Unsure
from shopglot.serve.cascade.routings import Evidence, Route, Routings, Said, all_routings
from shopglot.serve.cascade.stage_cost import Measured, Repetition

PARTS: Final = 5
"""The evidence is dealt by query into so many parts; each judges what was chosen on the others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a routing has to reach.

    `lose` is how much F1 it may have less than the dearest bundle alone, in each task, and `seconds` what a row may
    cost on average; None: anything.
    """

    lose: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """A routing that no other one beats at its cost.

    `f1` is that on the pairs it was chosen on. `f1_elsewhere` is that of the best routings for so many seconds, each
    chosen on four fifths of the queries and judged on the others. `reached` is the share of pairs that reaches each
    stage.
    """

    route: Route
    seconds: float
    f1: float
    f1_elsewhere: float
    reached: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TaskBudget:
    """The frontier of one task from the cheapest routing to the best, and the dearest bundle's own F1 and cost."""

    share: float
    frontier: tuple[Point, ...]
    alone: Point


@dataclass(frozen=True, slots=True)
class Chosen:
    """One point of the frontier per task, and in words what was wanted and is not reached."""

    points: Mapping[Task, Point]
    seconds: float
    missed: str


@dataclass(frozen=True, eq=False, slots=True)
class Budget:
    """The stages in the order of their cost, how the file repeats itself, each task's frontier, and what is chosen."""

    stages: tuple[Measured, ...]
    repetition: Repetition
    tasks: Mapping[Task, TaskBudget]
    wanted: Wanted
    chosen: Chosen


def budget_of(pairs: Pairs, measured: Sequence[Measured], repetition: Repetition, wanted: Wanted) -> Budget:
    """Return the budget of the measured bundles for these labelled pairs, which no bundle learned from."""
    in_order = sorted(measured, key=lambda each: repetition.pairs * each.cost.pair + repetition.texts * each.cost.text)
    stages = _told_apart(in_order)
    Cascade(tuple(Stage(each.name, each.bundle, {}) for each in stages))  # refuses those that do not go together
    tasks = task_budgets(pairs, stages, repetition)
    return Budget(stages, repetition, tasks, wanted, choose(tasks, wanted))


def _told_apart(stages: Sequence[Measured]) -> tuple[Measured, ...]:
    """Return the stages with a number in their name where several have the same."""
    names = [each.name for each in stages]
    return tuple(
        each if names.count(each.name) == 1 else replace(each, name=f"{each.name}-{number}")
        for number, each in enumerate(stages, 1)
    )


def task_budgets(pairs: Pairs, measured: Sequence[Measured], repetition: Repetition) -> dict[Task, TaskBudget]:
    """Return the frontier of each task of these labelled pairs, for a file that repeats itself so.

    `measured` stand in the order of their cost. Raises DataError for a task with labels of one class.
    """
    return {task: _task_budget(pairs, measured, repetition, task) for task in pairs.tasks}


def choose(budgets: Mapping[Task, TaskBudget], wanted: Wanted) -> Chosen:
    """Return the cheapest points that lose little enough, or else the best ones that cost little enough.

    What a point loses is judged where it was not chosen.
    """
    tasks = list(budgets)
    points = [(*own.frontier, own.alone) for own in budgets.values()]
    ways = [dict(zip(tasks, way, strict=True)) for way in product(*points)]
    costs = np.array([sum(budgets[task].share * point.seconds for task, point in way.items()) for way in ways])
    quality = np.array([[point.f1_elsewhere for point in way.values()] for way in ways])
    floor = np.array([own.alone.f1 for own in budgets.values()]) - wanted.lose
    good = (quality >= floor).all(axis=1)
    fits = costs <= (np.inf if wanted.seconds is None else wanted.seconds)
    if (good & fits).any():
        best, missed = int(np.argmin(np.where(good & fits, costs, np.inf))), ""
    elif fits.any():
        best = int(np.argmax(np.where(fits, quality.mean(axis=1), -np.inf)))
        missed = f"no routing that fits the time loses at most {wanted.lose:.3f} F1; this is the best one that fits"
    else:
        best, missed = int(np.argmin(costs)), "no routing fits the time; this is the cheapest one"
    return Chosen(ways[best], float(costs[best]), missed)


def unsure_of(chosen: Chosen, stage: int) -> Unsure:
    """Return the band of each task that the stage of this number reads."""
    bands = {}
    for task, point in chosen.points.items():
        if stage in point.route.stages:
            place = point.route.stages.index(stage)
            bands[task] = point.route.bands[place] if place < len(point.route.bands) else None
    return bands


def _task_budget(pairs: Pairs, measured: Sequence[Measured], repetition: Repetition, task: Task) -> TaskBudget:
    rows = (pairs["task"] == task).to_numpy() & pairs.readable & pairs["label"].is_not_null().to_numpy()
    own = pairs.filter(rows)
    if not 0 < own.labels.sum() < len(own):
        raise DataError(f"the labelled pairs of task {task} are all of one class; give some of both")
    stages = tuple(Said(each.decided.probability[rows], each.decided.decision[rows], each.cost) for each in measured)
    evidence = Evidence(own.labels, (unit_hash(own["query"], 1) * PARTS).astype(np.int64), stages)
    routings = all_routings(evidence, repetition)
    everywhere = np.ones(len(routings.positive), dtype=np.bool_)
    f1 = routings.f1(everywhere)
    places = [*_frontier(routings.seconds, f1), _alone(routings, len(measured) - 1)]
    *points, alone = [
        Point(
            routings.routes[place],
            float(routings.seconds[place]),
            float(f1[place]),
            float(elsewhere),
            tuple(routings.reached[place, : len(routings.routes[place].stages)].tolist()),
        )
        for place, elsewhere in zip(places, _elsewhere(routings, routings.seconds[places]), strict=True)
    ]
    return TaskBudget(
        len(own) / int(pairs.labelled.readable.sum()), tuple(points), replace(alone, f1_elsewhere=alone.f1)
    )


def _frontier(seconds: Floats, f1: Floats) -> list[int]:
    """Return the routings that decide better than all that cost less, the cheapest first."""
    order = np.lexsort((-f1, seconds))
    best_before = np.concatenate([[-1.0], np.maximum.accumulate(f1[order])[:-1]])
    return [int(place) for place in order[f1[order] > best_before]]


def _alone(routings: Routings, stage: int) -> int:
    return routings.routes.index(Route((stage,), ()))


def _elsewhere(routings: Routings, limits: Floats) -> Floats:
    """Return for each limit of seconds the F1 of the best routing within it, chosen without the parts it judges."""
    parts = np.eye(len(routings.positive), dtype=np.bool_)
    hits, said = np.zeros(len(limits)), np.zeros(len(limits))
    order = np.argsort(routings.seconds, kind="stable")
    within = np.searchsorted(routings.seconds[order], limits, side="right")
    for part in parts:
        f1 = routings.f1(~part)[order]
        best = np.maximum.accumulate(f1)
        first_of_best = np.searchsorted(best, best[within - 1])
        chosen = order[first_of_best]
        hits += routings.hits[chosen][:, part].sum(axis=1)
        said += routings.said[chosen][:, part].sum(axis=1)
    return np.asarray(2 * hits / np.maximum(said + routings.positive.sum(), 1))
