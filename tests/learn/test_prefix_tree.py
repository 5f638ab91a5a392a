"""Causal models, shrunk: texts that begin alike share the computation of their tokens and score as they would alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.learn import prefix_tree, torch_runs
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from shopglot.learn.prefix_tree import is_causal, logits_by_tree, trees
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
EVERY_PAIR = [(query, path) for query in QUERIES for path in shop.PATHS]
Scorers = Callable[..., LLMScorer]


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """Compute so few tokens at a time that the queries and targets of a test need several batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefix_tree, "TOKEN_BUDGET", 300)
        patch.setattr(torch_runs, "TOKEN_BUDGET", 300)
        yield


@pytest.fixture(scope="module")
def scorers(tmp_path_factory: pytest.TempPathFactory) -> Scorers:
    """Make the scorer of a family with random weights and a window of 8 tokens; each of them once in all tests."""

    @cache
    def family(name: str, *, adapters: bool = False, dtype: Any = "float32") -> LLMScorer:
        folder, lora = tmp_path_factory.mktemp(name), LoraSettings() if adapters else None
        model = str(tiny_model(folder / "model", FAMILIES[name], TEXTS))
        scorer = LLMScorer.new(LLMSettings(model=model, dtype=dtype, lora=lora), TEMPLATE)
        if dtype == "bfloat16":  # as a trained model is loaded
            scorer.model.base_model.bfloat16()
        return scorer

    return family


@pytest.fixture(scope="module")
def alone(scorers: Scorers) -> Callable[[str], dict[tuple[str, str], Floats]]:
    """Give what a family says of each of `EVERY_PAIR` when no other pair is there."""

    @cache
    def table(name: str) -> dict[tuple[str, str], Floats]:
        scorer = scorers(name)
        return {pair: both_ways(scorer, [pair])[1][0] for pair in EVERY_PAIR}

    return table


def texts_of(scorer: LLMScorer, pairs: list[tuple[str, str]]) -> pl.DataFrame:
    return scorer.reader.texts(Pairs.of([Pair("QC", query, path) for query, path in pairs]))


def both_ways(scorer: LLMScorer, pairs: list[tuple[str, str]]) -> tuple[Floats, Floats]:
    """Return the logits with shared computation, and without."""
    texts = texts_of(scorer, pairs)
    model, tokenizer, encoded = scorer.model, scorer.reader.tokenizer, scorer.reader.encode(texts)
    shared = logits_by_tree(model, encoded["input_ids"])
    return shared, logits(model, tokenizer, encoded, autocast=False)


@contextmanager
def counted_tokens(scorer: LLMScorer) -> Iterator[list[int]]:
    """Give a list of how many tokens, padding included, pass through the first layer in the block."""
    counted: list[int] = []
    layer = next(module for name, module in scorer.model.named_modules() if name.endswith("layers.0.mlp"))
    hook = layer.register_forward_pre_hook(lambda _, inputs: counted.append(inputs[0].shape[:-1].numel()))
    yield counted
    hook.remove()


@pytest.mark.parametrize("name", FAMILIES)
def test_shared_computation_gives_the_logits_of_each_pair_alone(
    name: str, scorers: Scorers, alone: Callable[[str], dict[tuple[str, str], Floats]]
) -> None:
    shared, apart = both_ways(scorers(name), EVERY_PAIR)
    expected = np.array([alone(name)[pair] for pair in EVERY_PAIR])
    assert shared == pytest.approx(expected, abs=1e-5)
    assert apart == pytest.approx(expected, abs=1e-5)
    assert np.ptp(expected) > 0.1


@settings(max_examples=30)
@given(
    name=st.sampled_from(sorted(FAMILIES)),
    pairs=st.lists(st.sampled_from(EVERY_PAIR), unique=True, min_size=1, max_size=30),
)
def test_neither_grouping_nor_order_changes_a_logit(
    name: str,
    pairs: list[tuple[str, str]],
    scorers: Scorers,
    alone: Callable[[str], dict[tuple[str, str], Floats]],
) -> None:
    shared, _ = both_ways(scorers(name), pairs)
    assert shared == pytest.approx(np.array([alone(name)[pair] for pair in pairs]), abs=1e-5)


@pytest.mark.parametrize("name", ["gemma-3", "qwen3"])
def test_in_bfloat16_shared_computation_rounds_no_worse_than_the_plain_one(name: str, scorers: Scorers) -> None:
    scorer = scorers(name, dtype="bfloat16")
    shared, apart = both_ways(scorer, EVERY_PAIR)
    exact, _ = both_ways(replace(scorer, model=deepcopy(scorer.model).float()), EVERY_PAIR)
    assert 0 < np.abs(shared - exact).mean() < 1.5 * np.abs(apart - exact).mean()
    assert np.abs(shared - exact).max() < 0.03 * np.ptp(exact)


def test_adapters_are_shared_as_well(scorers: Scorers) -> None:
    import torch

    scorer = scorers("gemma-3", adapters=True)
    for parameter in (each for name, each in scorer.model.named_parameters() if "lora_B" in name):
        torch.nn.init.normal_(parameter, std=0.3)  # new adapters would change nothing
    shared, apart = both_ways(scorer, EVERY_PAIR)
    assert is_causal(scorer.model)
    assert shared == pytest.approx(apart, abs=1e-5)


def test_tokens_that_texts_begin_with_are_computed_once(scorers: Scorers) -> None:
    scorer = scorers("qwen3")
    pairs = [(QUERIES[2], leaf) for leaf in ("wok", "cleaver", "snorkel")]
    with counted_tokens(scorer) as counted:
        said = scorer.score(Pairs.of([Pair("QC", query, path) for query, path in pairs]))
    ids = scorer.reader.encode(texts_of(scorer, pairs))["input_ids"]
    starts = {tuple(row[:end]) for row in ids for end in range(1, len(row) + 1)}
    assert sum(counted) == len(starts) < 0.6 * sum(map(len, ids))
    assert said == pytest.approx(sigmoid(both_ways(scorer, pairs)[1][:, 0]), abs=1e-5)


TEXTS_OF_IDS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), max_size=12)


@given(ids=TEXTS_OF_IDS, tokens=st.integers(1, 30))
def test_each_row_is_read_along_one_branch_of_one_tree(ids: list[list[int]], tokens: int) -> None:
    grown = list(trees(ids, tokens=tokens))
    assert sorted(row for tree in grown for row in tree.rows.tolist()) == list(range(len(ids)))
    for tree in grown:
        for row, end in zip(tree.rows.tolist(), tree.ends.tolist(), strict=True):
            branch = np.flatnonzero(tree.reads[end])
            assert tree.ids[branch].tolist() == ids[row]
            assert tree.depths[branch].tolist() == list(range(len(ids[row])))


@given(ids=TEXTS_OF_IDS, tokens=st.integers(1, 30))
def test_a_token_reads_what_its_parent_reads_and_itself(ids: list[list[int]], tokens: int) -> None:
    for tree in trees(ids, tokens=tokens):
        for token, reads in enumerate(tree.reads):
            *ancestors, itself = np.flatnonzero(reads).tolist()
            assert itself == token
            assert ancestors == (np.flatnonzero(tree.reads[ancestors[-1]]).tolist() if ancestors else [])


@given(ids=TEXTS_OF_IDS)
def test_in_one_tree_no_start_stands_twice(ids: list[list[int]]) -> None:
    starts = {tuple(row[:end]) for row in ids for end in range(1, len(row) + 1)}
    assert [len(tree.ids) for tree in trees(ids, tokens=100)] == ([len(starts)] if ids else [])


@given(ids=TEXTS_OF_IDS, tokens=st.integers(1, 30))
def test_a_tree_is_too_large_only_where_one_row_is(ids: list[list[int]], tokens: int) -> None:
    assert all(
        len(tree.ids) <= tokens or len({tuple(ids[row]) for row in tree.rows}) == 1
        for tree in trees(ids, tokens=tokens)
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_every_decoder_is_causal(name: str, scorers: Scorers) -> None:
    assert is_causal(scorers(name).model)


@pytest.mark.parametrize("name", ["FacebookAI/xlm-roberta-base", "jhu-clsp/mmBERT-base", "microsoft/mdeberta-v3-base"])
def test_no_encoder_is_causal(name: str, tmp_path: Any) -> None:
    model = str(tiny_model(tmp_path / "model", name, TEXTS))
    assert not is_causal(LLMScorer.new(LLMSettings(model=model, text="pair", lora=None), TEMPLATE).model)


def test_a_decoder_that_reads_both_ways_or_keeps_another_past_does_not_share(tmp_path: Any) -> None:
    both = str(tiny_model(tmp_path / "model", FAMILIES["gemma-3"], TEXTS, use_bidirectional_attention=True))
    assert not is_causal(LLMScorer.new(LLMSettings(model=both, lora=None), TEMPLATE).model)
    attention = SimpleNamespace(is_causal=True)
    kinds = SimpleNamespace(layer_types=["linear_attention", "full_attention"])
    assert not is_causal(SimpleNamespace(modules=lambda: [attention], config=kinds))
