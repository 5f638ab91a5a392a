"""The fold models of one learner lie in memory side by side; what they did not train lies there once."""

from pathlib import Path

import pytest

from shopglot.learn.gguf_models import SMOLLM2
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.learn.test_gguf_models import needs


@pytest.mark.slow
@needs(SMOLLM2)
def test_a_further_model_with_adapters_costs_its_adapters_and_not_the_base_model(tmp_path: Path) -> None:
    import psutil

    settings = LLMSettings(model="embedded:smollm2-135m", lora=LoraSettings(rank=2, targets="attention"))
    LLMScorer.new(settings, TEMPLATE).save(tmp_path)
    scorers, held = [], []
    for _ in range(4):
        scorers.append(LLMScorer.load(tmp_path))
        scorers[-1].score(shop.pairs(2))
        held.append(psutil.Process().memory_full_info().pss)
    base = 2 * scorers[0].model.num_parameters()
    assert (held[-1] - held[1]) / 2 < base / 5
