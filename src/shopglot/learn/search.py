"""Search for the values of a recipe that judge best out of fold, with Optuna's tree-structured Parzen estimator."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from shopglot.core.errors import RecipeError
from shopglot.core.pair import Task
from shopglot.learn.sweep_settings import Choices, Domain, Range

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)
Values = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a trial reached: PR-AUC and F1 of each task, and the seconds it took."""

    pr_auc: Mapping[Task, float]
    f1: Mapping[Task, float]
    seconds: float

    @property
    def objective(self) -> float:
        """The mean of the tasks' PR-AUC, which a search raises."""
        return float(np.mean(list(self.pr_auc.values())))


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial, counted from 1, the values it put into the recipe, and what they reached."""

    number: int
    values: Values
    measured: Measured


def search(
    space: Mapping[str, Domain], measure: Callable[[Values], Measured | None], journal: Path, trials: int, seed: int
) -> list[Trial]:
    """Return the trials kept in `journal`, of which there are at least `trials` when this returns.

    Values for which `measure` returns None count as a trial that is worse than all others and are not returned.
    A search that was killed goes on to the trials of one that was not: each trial draws from a seed of its own, and
    the one that was running is measured again with its values. Source: Bergstra et al., Algorithms for Hyper-Parameter
    Optimization (2011), as implemented by Optuna.
    """
    study = _open(journal)
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    distributions = {key: _distribution(domain) for key, domain in space.items()}
    for killed in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
        if killed.params.keys() == space.keys():  # else it died while drawing, and its seed draws the same again
            study.enqueue_trial(killed.params)
    while (number := len(_ended(study)) + 1) <= trials:
        study.sampler = TPESampler(seed=int(np.random.SeedSequence((seed, number)).generate_state(1)[0]))
        drawn = study.ask(distributions)
        values = _values(space, drawn.params)
        log.info("trial %d of %d: %s", number, trials, ", ".join(f"{key}={value}" for key, value in values.items()))
        if (measured := measure(values)) is None:
            study.tell(drawn, state=TrialState.PRUNED)
        else:
            drawn.set_user_attr("measured", asdict(measured))
            study.tell(drawn, measured.objective)
    return [
        Trial(number, _values(space, ended.params), Measured(**ended.user_attrs["measured"]))
        for number, ended in enumerate(_ended(study), start=1)
        if ended.state == TrialState.COMPLETE
    ]


def _open(journal: Path) -> "Study":
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as missing:
        raise RecipeError("a sweep needs optuna: pip install 'shopglot[train]'") from missing
    logging.getLogger("optuna").setLevel(logging.WARNING)  # after the import, which sets it to INFO
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.create_study(storage=storage, study_name="sweep", direction="maximize", load_if_exists=True)


def _distribution(domain: Domain) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match domain:
        case Range(low=int(low), high=int(high), log=log):
            return IntDistribution(low, high, log=log)
        case Range(low=low, high=high, log=log):
            return FloatDistribution(low, high, log=log)
        case Choices(choices=choices):
            return CategoricalDistribution([json.dumps(choice) for choice in choices])  # it keeps no lists and parts


def _values(space: Mapping[str, Domain], drawn: Mapping[str, Any]) -> Values:
    return {key: json.loads(drawn[key]) if isinstance(space[key], Choices) else drawn[key] for key in space}


def _ended(study: "Study") -> "list[FrozenTrial]":
    """Return the trials that count, in their order: those that were killed are begun anew."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
