"""Scorers that are made of scorers."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shopglot.core.errors import BundleError
from shopglot.core.files import read_json, write_json
from shopglot.core.log_odds import logit, sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer, Scorer, Scores


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
        asked = {
            name: [task for task, weights in self.weights.items() if weights.get(name, 0.0) > 0]
            for name in self.scorers
        }
        return self.of_scores(pairs, score_members(self, pairs, asked).members)

    def of_scores(self, pairs: Pairs, members: Mapping[str, Scores]) -> Scores:
        """Return the same from what the members have said already, each of shape (rows,)."""
        foreign = [task for task in pairs.tasks if task not in self.weights]
        if foreign:
            raise BundleError(
                f"the blend scores {' and '.join(self.weights)}, not {' and '.join(foreign)}; leave those pairs out"
            )
        scores = np.empty(len(pairs))
        for task in pairs.tasks:
            rows, weights = (pairs["task"] == task).to_numpy(), self.weights[task]
            asked = np.column_stack([members[name][rows] for name in weights])
            scores[rows] = blended(asked, np.array(list(weights.values())))
        return scores

    def save(self, folder: Path) -> None:
        """Write each member into its own sub-folder of `folder`."""
        _save_members(self.scorers.values(), folder)
        weights = {task: dict(weights) for task, weights in self.weights.items()}
        write_json(folder / "scorer.json", {"kind": "blend", "members": list(self.scorers), "weights": weights})


@dataclass(frozen=True, eq=False, slots=True)
class MemberScores:
    """Pairs with what each member of a blend says of them, so that every other blend of the same costs no model."""

    pairs: Pairs
    members: Mapping[str, Scores]

    def blended(self, blend: Blend) -> tuple[Pairs, Scores]:
        """Return the pairs of the blend's tasks with its scores of them."""
        rows = self.pairs["task"].is_in(list(blend.weights)).to_numpy()
        own = self.pairs.filter(rows)
        return own, blend.of_scores(own, {name: scores[rows] for name, scores in self.members.items()})


def score_members(blend: Blend, pairs: Pairs, tasks: Mapping[str, Iterable[Task]]) -> MemberScores:
    """Return what each member says of the pairs of its `tasks`; of others it is not asked and says NaN."""
    members = {}
    for name, own in tasks.items():
        rows = pairs["task"].is_in(list(own)).to_numpy()
        members[name] = np.full(len(pairs), np.nan)
        if rows.any():
            members[name][rows] = blend.scorers[name].score(pairs.filter(rows))
    return MemberScores(pairs, members)


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
