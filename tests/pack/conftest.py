from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from shopglot.core.pair import TASKS
from shopglot.core.scores import SavableScorer
from shopglot.curate.settings import CurateSettings
from shopglot.learn.encoder import EncoderScorer
from shopglot.merge.blend import Blend, Mean
from shopglot.merge.chain import redecide
from shopglot.merge.settings import MergeSettings
from shopglot.pack.bundle import Bundle
from shopglot.pack.convert import Packer
from shopglot.pack.engines import Engine, Precision
from shopglot.pack.settings import PackSettings
from tests import shop
from tests.learn.learners import learner_of

TUNE = shop.pairs(120, seed=8)


PackOnce = Callable[..., SavableScorer]
"""Packs the tiny cross-encoder in a precision, for an engine."""


def bundle_of(scorer: SavableScorer) -> Bundle:
    decision = redecide(TUNE, scorer.score(TUNE), MergeSettings(), dict.fromkeys(TUNE.tasks, 0.5))
    return Bundle(scorer, decision, CurateSettings(), {"name": "made up", "data": {"train.txt": "9f86d0"}})


@pytest.fixture(scope="session")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_of(learner_of("lexical", Path()).fit(shop.pairs(), tmp_path_factory.mktemp("work")))


@pytest.fixture(scope="session")
def embedding(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> Bundle:
    scorer = learner_of("embedding", tiny_bert).fit(shop.pairs(), tmp_path_factory.mktemp("work"))
    return bundle_of(Blend({"vectors": Mean([scorer])}, {task: {"vectors": 1.0} for task in TASKS}))


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory, full_precision: None, tiny_bert: Path) -> EncoderScorer:
    """A cross-encoder that was saved and loaded, for a trained one still computes as the Trainer left it."""
    folder = tmp_path_factory.mktemp("encoder")
    learner_of("encoder", tiny_bert).fit(shop.pairs(), tmp_path_factory.mktemp("work")).save(folder)
    return EncoderScorer.load(folder)


@pytest.fixture(scope="session")
def packed(cross_encoder: EncoderScorer, tmp_path_factory: pytest.TempPathFactory) -> PackOnce:
    """Pack the cross-encoder with some settings; each of them once in all tests."""

    @cache
    def pack(precision: Precision, engine: Engine, *, trim: bool = True) -> SavableScorer:
        settings = PackSettings(precision=precision, engine=engine, trim=trim, calibration=40)
        return Packer(shop.pairs(), settings, tmp_path_factory.mktemp("packed")).packed(cross_encoder)

    return pack
