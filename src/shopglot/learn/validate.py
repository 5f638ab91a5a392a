"""Cross-validation: every pair is scored by a model that never saw it."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from shopglot.core.errors import DataError
from shopglot.core.files import undamaged, whole_folder
from shopglot.core.folds import Folds
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Learner, OutOfFold, SavableScorer

log = logging.getLogger(__name__)
Load = Callable[[Path], SavableScorer]


@dataclass(frozen=True, eq=False, slots=True)
class Validated:
    """One scorer per fold, and the scores each gave to the fold it did not see."""

    scorers: dict[str, SavableScorer]
    out_of_fold: OutOfFold


def cross_validate(learner: Learner, pairs: Pairs, folds: Folds, work: Path, load: Load, at_once: int = 1) -> Validated:
    """Fit `learner` once per fold, `at_once` as many as it has devices for, and score the fold each did not see.

    A fold's model is kept in `work/<fold>` when it is complete, and read back with `load` when the call is repeated
    after a kill; an unfinished one goes on from its checkpoints in `work/<fold>.work`.
    """

    def fitted(fold: str) -> SavableScorer:
        purpose = f"fold {folds.names.index(fold) + 1} of {folds.count}"
        return fit_once(learner, pairs.filter(folds.trains(pairs, fold)), work / fold, load, purpose)

    if at_once == 1:
        each = [fitted(fold) for fold in folds.names]
    else:
        with ThreadPoolExecutor(at_once) as fits:
            each = list(fits.map(fitted, folds.names))
    scorers = dict(zip(folds.names, each, strict=True))
    parts: list[OutOfFold] = []
    for fold, scorer in scorers.items():
        own = pairs.filter(folds.judges(pairs, fold)).of_tasks(learner.tasks)
        parts.append(OutOfFold.of(own, scorer.score(own), model=learner.name, fold=fold))
    return Validated(scorers, OutOfFold.concat(parts))


def fit_once(learner: Learner, train: Pairs, folder: Path, load: Load, purpose: str) -> SavableScorer:
    """Return the scorer kept in `folder`, or fit it and keep it there whole; `purpose` is what the log calls it."""
    if folder.is_dir():
        with undamaged(folder, "remove it, and the same command fits it again"):
            return load(folder)
    checkpoints = folder.with_name(folder.name + ".work")
    checkpoints.mkdir(parents=True, exist_ok=True)
    if not len(train):
        raise DataError(f"no pair is left to train {learner.name!r} for {purpose}; use fewer or smaller folds")
    log.info("fitting %s for %s on %d pairs", learner.name, purpose, len(train))
    scorer = learner.fit(train, checkpoints)
    with whole_folder(folder) as part:
        scorer.save(part)
    rmtree(checkpoints)
    return scorer
