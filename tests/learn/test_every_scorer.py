"""What every learner and scorer keeps, whatever is inside."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shopglot.core.files import sha256
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import SavableScorer
from shopglot.learn.encoders import frozen_encoder
from shopglot.learn.load import SCORERS
from shopglot.merge.blend import Blend, Mean, load_scorer
from tests import shop
from tests.learn.learners import LEARNERS, learner_of

NEW = shop.pairs(40, seed=99)
ROUNDING = 1e-5
"""How far float32 may lead two batches of other shapes apart."""

Fit = Callable[[str, int, tuple[Task, ...]], SavableScorer]


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """A scorer, and the folder it was written to."""

    scorer: SavableScorer
    folder: Path

    def loaded(self) -> SavableScorer:
        frozen_encoder.cache_clear()
        return load_scorer(self.folder, SCORERS)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> Fit:
    """Fit a learner for the first, second, … time; each of them once in all tests."""
    done: dict[tuple[str, int, tuple[Task, ...]], SavableScorer] = {}

    def fitted(name: str, time: int, tasks: tuple[Task, ...]) -> SavableScorer:
        if (name, time, tasks) not in done:
            train = shop.pairs(160).filter(pl.col("task").is_in(tasks))
            work = tmp_path_factory.mktemp("work")
            frozen_encoder.cache_clear()
            done[name, time, tasks] = learner_of(name, tiny_bert, tasks).fit(train, work)
        return done[name, time, tasks]

    return fitted


@pytest.fixture(scope="module", params=[*LEARNERS, "mean", "blend"])
def kept(request: pytest.FixtureRequest, fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("scorer")
    match request.param:
        case "mean":
            scorer: SavableScorer = Mean([fit("embedding", 0, TASKS), fit("lexical", 0, TASKS)])
        case "blend":
            members = {"encoder": Mean([fit("encoder", 0, TASKS)]), "hub/name": fit("contrast", 0, TASKS)}
            scorer = Blend(members, {task: {"encoder": 0.4, "hub/name": 0.6} for task in TASKS})
        case name:
            scorer = fit(name, 0, TASKS)
    scorer.save(folder)
    return Kept(scorer, folder)


def test_there_is_one_probability_per_pair(kept: Kept) -> None:
    scores = kept.scorer.score(NEW)
    assert scores.shape == (len(NEW),)
    assert scores.dtype == np.float64
    assert np.all((scores >= 0) & (scores <= 1))
    assert np.unique(scores).size > len(NEW) // 4


def test_a_score_does_not_depend_on_its_neighbours(kept: Kept) -> None:
    together, alone = kept.scorer.score(NEW), kept.loaded()
    apart = [alone.score(NEW.filter(np.arange(len(NEW)) == row))[0] for row in range(4)]
    assert apart == pytest.approx(together[:4], abs=ROUNDING)


def test_a_score_does_not_depend_on_the_order_of_the_pairs(kept: Kept) -> None:
    order = np.random.default_rng(3).permutation(len(NEW))
    turned = kept.loaded().score(Pairs(NEW.frame[order]))
    assert turned == pytest.approx(kept.scorer.score(NEW)[order], abs=ROUNDING)


def test_a_score_depends_on_the_texts_and_the_task_alone(kept: Kept) -> None:
    nameless = Pairs.from_frame(NEW.frame.select("task", "query", "english", "target"))
    assert kept.scorer.score(nameless) == pytest.approx(kept.scorer.score(NEW), abs=ROUNDING)


def test_equal_pairs_get_equal_scores(kept: Kept) -> None:
    scores = kept.scorer.score(Pairs.concat([NEW, NEW]))
    assert scores[: len(NEW)].tolist() == scores[len(NEW) :].tolist()


def test_no_pairs_get_no_scores(kept: Kept) -> None:
    assert kept.scorer.score(NEW.filter(pl.lit(False))).shape == (0,)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_scored_alone_as_among_the_other(kept: Kept, task: Task) -> None:
    rows = (NEW["task"] == task).to_numpy()
    assert kept.scorer.score(NEW.of_task(task)) == pytest.approx(kept.scorer.score(NEW)[rows], abs=ROUNDING)


def test_a_scorer_is_the_same_after_saving_and_loading(kept: Kept) -> None:
    assert kept.loaded().score(NEW) == pytest.approx(kept.scorer.score(NEW), abs=1e-6)


def test_a_scorer_read_back_and_used_is_written_as_it_was(
    kept: Kept, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["kept"] == "llm":
        request.applymarker(pytest.mark.xfail(strict=True, reason="peft names score and classifier again at each load"))
    again = kept.loaded()
    again.score(NEW)
    again.save(tmp_path)
    files = {path.relative_to(kept.folder): sha256(path) for path in kept.folder.rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path): sha256(path) for path in tmp_path.rglob("*") if path.is_file()} == files


def test_nothing_is_kept_as_pickle(kept: Kept) -> None:
    suffixes = {path.suffix for path in kept.folder.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".json", ".txt"}


def test_a_scorer_takes_texts_without_letters_and_without_end(kept: Kept) -> None:
    odd = [("QC", "", "food,tea"), ("QC", "🍵" * 300, "x" * 2000), ("QI", "a " * 1000, ""), ("QI", "\u0e01", "nan")]
    scores = kept.scorer.score(Pairs.from_frame(pl.DataFrame(odd, schema=["task", "query", "target"], orient="row")))
    assert np.all((scores >= 0) & (scores <= 1))


@pytest.mark.parametrize("name", LEARNERS)
def test_the_same_seed_gives_the_same_scores(fit: Fit, name: str) -> None:
    assert fit(name, 0, TASKS).score(NEW) == pytest.approx(fit(name, 1, TASKS).score(NEW), abs=1e-6)


@pytest.mark.parametrize("name", ["lexical", "embedding"])
@pytest.mark.parametrize("task", TASKS)
def test_a_learner_can_learn_one_task_alone(fit: Fit, tmp_path: Path, name: str, task: Task) -> None:
    scorer = fit(name, 0, (task,))
    own = NEW.of_task(task)
    scorer.save(tmp_path)
    assert load_scorer(tmp_path, SCORERS).score(own) == pytest.approx(scorer.score(own), abs=1e-6)
    assert np.ptp(scorer.score(own)) > 0


def test_what_is_learned_holds_for_new_pairs(fit: Fit) -> None:
    scores = fit("lexical", 0, TASKS).score(NEW)
    assert scores[NEW.labels == 1].mean() > scores[NEW.labels == 0].mean() + 0.3
