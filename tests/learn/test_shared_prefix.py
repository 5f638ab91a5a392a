"""Causal models, shrunk: pairs of one query share the computation of its tokens and score as they would alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.metrics import Floats
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from shopglot.learn.shared_prefix import is_causal, logits_by_query, shared_tokens
from shopglot.learn.torch_runs import logits
from tests import shop
from tests.learn.learners import TEMPLATE
from tests.tiny import tiny_model

pytestmark = pytest.mark.usefixtures("full_precision")

FAMILIES = {
    "gemma-2": "google/gemma-2-9b",
    "gemma-3": "google/gemma-3-270m",
    "qwen2": "Qwen/Qwen2-7B",
    "qwen2.5": "Qwen/Qwen2.5-0.5B",
    "qwen3": "Qwen/Qwen3-0.6B-Base",
}
TEXTS = [*shop.texts(), "Query: Category: Product: Relevant:\n"]
QUERIES = ("wok", "poêle wok", "a long query for a green tea and a party tent in the garden, cheap", "緑茶 green")
Scorers = Callable[..., LLMScorer]


@pytest.fixture(scope="module")
def scorers(tmp_path_factory: pytest.TempPathFactory) -> Scorers:
    """Make the scorer of a family with random weights and a window of 8 tokens; each of them once in all tests."""

    @cache
    def family(name: str, lora: LoraSettings | None = None) -> LLMScorer:
        folder = tmp_path_factory.mktemp(name)
        model = str(tiny_model(folder / "model", FAMILIES[name], TEXTS))
        return LLMScorer.new(LLMSettings(model=model, dtype="float32", lora=lora), TEMPLATE)

    return family


def texts_of(scorer: LLMScorer, wanted: dict[str, int]) -> pl.DataFrame:
    """Return the texts of so many targets for each query."""
    rows = [Pair("QC", query, path) for query, count in wanted.items() for path in shop.PATHS[:count]]
    return scorer.reader.texts(Pairs.of(rows))


def both_ways(scorer: LLMScorer, texts: pl.DataFrame) -> tuple[Floats, Floats]:
    """Return the logits with shared computation, and without."""
    model, tokenizer, encoded = scorer.model, scorer.reader.tokenizer, scorer.reader.encode(texts)
    shared = logits_by_query(model, tokenizer, encoded["input_ids"], texts["query"])
    return shared, logits(model, tokenizer, encoded, autocast=False)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_shared_query_gives_the_scores_of_pairs_computed_apart(name: str, scorers: Scorers) -> None:
    texts = texts_of(scorers(name), dict(zip(QUERIES, (13, 1, 7, 2), strict=True)))
    shared, apart = both_ways(scorers(name), texts)
    assert shared == pytest.approx(apart, abs=1e-5)
    assert np.ptp(shared) > 0.1
