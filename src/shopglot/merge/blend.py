"""Scorers that are made of scorers."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json, write_json
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer, Scorer, Scores
from shopglot.merge.logistic import logit, sigmoid


@dataclass(frozen=True, eq=False, slots=True)
class Mean:
    """The average of probabilities: models of one recipe that were trained on different folds."""

    scorers: Sequence[Scorer]

    def __post_init__(self) -> None:
        """Refuse a mean of nothing."""
        if not self.scorers:
            raise BundleError("a mean needs at least one scorer")

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) in the order of the rows."""
        mean: Scores = np.mean([scorer.score(pairs) for scorer in self.scorers], axis=0, dtype=np.float64)
        return mean

    def save(self, folder: Path) -> None:
        """Write each member into its own sub-folder of `folder`."""
        _save_members(self.scorers, folder)
        write_json(folder / "scorer.json", {"kind": "mean", "members": len(self.scorers)})


@dataclass(frozen=True, eq=False, slots=True)
class Blend:
    """Models of different recipes, weighted per task on the scale of log odds.

    A model that has no weight in a task is not asked for that task's pairs.
    """

    scorers: Mapping[str, Scorer]
    weights: Mapping[Task, Mapping[str, float]]

    def __post_init__(self) -> None:
        """Refuse weights of unknown models, and weights that are negative or do not sum to one."""
        for task, weights in self.weights.items():
            unknown = ", ".join(sorted(weights.keys() - self.scorers.keys()))
            if unknown:
                raise BundleError(f"task {task} weighs {unknown}, but the blend has {', '.join(self.scorers)}")
            if min(weights.values(), default=0.0) < 0 or not math.isclose(sum(weights.values()), 1.0, rel_tol=1e-6):
                raise BundleError(
                    f"the weights of task {task} must be non-negative and sum to one, not {dict(weights)}"
                )

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) in the order of the rows; raises BundleError for a task without weights."""
        foreign = [task for task in pairs.tasks if task not in self.weights]
        if foreign:
            raise BundleError(f"the blend scores {' and '.join(self.weights)}, not {' and '.join(foreign)}")
        scores = np.empty(len(pairs))
        for task in pairs.tasks:
            rows, own = (pairs["task"] == task).to_numpy(), pairs.of_task(task)
            asked = {name: weight for name, weight in self.weights[task].items() if weight > 0}
            members = np.column_stack([self.scorers[name].score(own) for name in asked])
            scores[rows] = blended(members, np.array(list(asked.values())))
        return scores

    def save(self, folder: Path) -> None:
        """Write each member into its own sub-folder of `folder`."""
        _save_members(self.scorers.values(), folder)
        weights = {task: dict(weights) for task, weights in self.weights.items()}
        write_json(folder / "scorer.json", {"kind": "blend", "members": list(self.scorers), "weights": weights})


def blended(scores: Floats, weights: Floats) -> Scores:
    """Return the weighted mean of log odds as probabilities, for scores of shape (rows, models).

    Log odds add up where models bring evidence of their own, and an average of them has, up to the temperature that
    calibration mends, the form of a logistic regression on the members. No result leaves the range of the members.
    """
    used = scores[:, weights > 0]
    blend = sigmoid(logit(used) @ weights[weights > 0])
    return np.clip(blend, used.min(axis=1), used.max(axis=1))


def load_scorer(folder: Path, loaders: Mapping[str, Callable[[Path], SavableScorer]]) -> SavableScorer:
    """Return the scorer in `folder`, with all its members; `loaders` reads the kinds that are not made of scorers."""
    path = folder / "scorer.json"
    if not path.is_file():
        raise BundleError(f"{folder} holds no scorer, for it has no scorer.json")
    facts: dict[str, Any] = read_json(path)
    kind: str = facts.get("kind", "unknown")
    if kind == "mean":
        return Mean([load_scorer(folder / str(n), loaders) for n in range(facts["members"])])
    if kind == "blend":
        members = {name: load_scorer(folder / str(n), loaders) for n, name in enumerate(facts["members"])}
        return Blend(members, facts["weights"])
    if kind not in loaders:
        raise BundleError(f"{path} is of kind {kind!r}; there are {', '.join(['mean', 'blend', *loaders])}")
    return loaders[kind](folder)


def _save_members(scorers: Iterable[Scorer], folder: Path) -> None:
    # Members are numbered because a model's name may hold a slash.
    for n, scorer in enumerate(scorers):
        save: Callable[[Path], None] | None = getattr(scorer, "save", None)
        if save is None:
            raise BundleError(f"a {type(scorer).__name__} cannot be saved, and so neither can what is made of it")
        member = folder / str(n)
        member.mkdir()
        save(member)
