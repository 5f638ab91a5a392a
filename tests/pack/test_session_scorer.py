from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shopglot.core.pairs import Pairs
from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.pack.convert import Packer
from shopglot.pack.engines import Engine, Precision
from shopglot.pack.session_scorer import SessionScorer
from shopglot.pack.settings import PackSettings
from tests import shop
from tests.learn.learners import learner_of
from tests.pack.conftest import PackOnce

NEW = shop.pairs(60, seed=99)

either_engine = pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])


@either_engine
def test_a_packed_cross_encoder_scores_as_in_torch(
    cross_encoder: EncoderScorer, packed: PackOnce, engine: Engine
) -> None:
    known = shop.pairs()
    assert packed("fp32", engine).score(known) == pytest.approx(cross_encoder.score(known), abs=1e-5)


@either_engine
def test_without_trimming_new_texts_score_as_in_torch_too(
    cross_encoder: EncoderScorer, packed: PackOnce, engine: Engine
) -> None:
    odd = [("QC", "", "food,tea"), ("QC", "🍵" * 300, "x" * 2000), ("QI", "a " * 1000, ""), ("QI", "\u0e01", "nan")]
    pairs = Pairs.from_frame(pl.DataFrame(odd, schema=["task", "query", "target"], orient="row"))
    both = Pairs.concat([NEW, pairs])
    scores = packed("fp32", engine, trim=False).score(both)
    assert scores == pytest.approx(cross_encoder.score(both), abs=1e-5)


@pytest.mark.parametrize(
    ("precision", "engine", "rounding"),
    [
        ("int8", "openvino", 0.05),
        ("int8", "onnxruntime", 0.05),
        ("int8-dynamic", "onnxruntime", 0.05),
        ("bf16", "openvino", 0.02),
    ],
)
def test_lower_precision_rounds_a_little(
    cross_encoder: EncoderScorer, packed: PackOnce, precision: Precision, engine: Engine, rounding: float
) -> None:
    scores, exact = packed(precision, engine).score(NEW), cross_encoder.score(NEW)
    assert np.abs(scores - exact).mean() < rounding
    assert np.corrcoef(scores, exact)[0, 1] > 0.9


def test_a_language_model_of_an_encoder_family_is_packed_without_its_adapters(
    tiny_xlm_roberta: Path, full_precision: None, tmp_path: Path
) -> None:
    for name in ("work", "llm", "packed"):
        (tmp_path / name).mkdir()
    learner_of("llm", tiny_xlm_roberta).fit(shop.pairs(80), tmp_path / "work").save(tmp_path / "llm")
    original, known = LLMScorer.load(tmp_path / "llm"), shop.pairs()
    settings = PackSettings(precision="fp32", engine="onnxruntime")
    packed = Packer(known, settings, tmp_path / "packed").packed(original)
    assert isinstance(packed, SessionScorer)
    assert packed.score(known) == pytest.approx(original.score(known), abs=1e-5)


def test_a_score_does_not_depend_on_its_neighbours(packed: PackOnce) -> None:
    scorer = packed("fp32", "openvino")
    apart = [scorer.score(NEW.filter(np.arange(len(NEW)) == row))[0] for row in range(4)]
    assert apart == pytest.approx(scorer.score(NEW)[:4], abs=1e-5)


def test_no_pairs_get_no_scores(packed: PackOnce) -> None:
    assert packed("fp32", "openvino").score(NEW.filter(pl.lit(False))).shape == (0,)


def test_it_is_the_same_after_saving_and_loading(packed: PackOnce, tmp_path: Path) -> None:
    scorer = packed("fp32", "onnxruntime")
    scorer.save(tmp_path)
    assert SessionScorer.load(tmp_path).score(NEW).tolist() == scorer.score(NEW).tolist()


def test_the_original_still_scores_as_before(cross_encoder: EncoderScorer, tmp_path: Path) -> None:
    before = cross_encoder.score(NEW)
    Packer(shop.pairs(), PackSettings(precision="fp32", engine="onnxruntime"), tmp_path).packed(cross_encoder)
    assert cross_encoder.score(NEW).tolist() == before.tolist()
