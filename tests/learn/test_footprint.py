"""The formulas of memory against what torch holds while shrunk models of every family are trained."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from shopglot.learn.classifier import new_classifier
from shopglot.learn.footprint import Footprint, activation_bytes, footprint
from shopglot.learn.llm_settings import LaunchSettings, LLMSettings, LoraSettings, StageSettings
from shopglot.learn.sizes import Sizes, count
from tests import shop
from tests.learn.test_families import ONE_OF_EACH_CLASS
from tests.tiny import tiny_model

pytestmark = pytest.mark.usefixtures("full_precision")
TOKENS = 64
PROPORTIONS = {"hidden_size": 128, "pooler_hidden_size": 128, "intermediate_size": 512}
"""Wide enough beside the number of tokens for the parts of a layer to weigh what they weigh in a real one."""
LORA = LoraSettings(rank=4, dropout=0)


def settings_of(model: Path | str, **settings: Any) -> LLMSettings:
    one = StageSettings(batch_size=1)
    return LLMSettings(**{"model": str(model), "lora": LORA, "max_tokens": TOKENS, "stages": (one,), **settings})


@dataclass(frozen=True, slots=True)
class Held:
    """What torch holds in a step of training, in bytes, and what the formulas say of it."""

    weights: int
    gradients: int
    optimizer: int
    activations: float
    trainable: int
    sizes: Sizes
    planned: Footprint


@pytest.fixture(params=ONE_OF_EACH_CLASS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["adapters", "whole"])
def held(family: str, request: pytest.FixtureRequest) -> Held:
    return trained_once(family, request.param)


@cache
def trained_once(name: str, adapters: bool) -> Held:
    with TemporaryDirectory() as folder:
        tiny_model(Path(folder), name, shop.texts(), **PROPORTIONS)
        return trained(settings_of(folder, lora=LORA if adapters else None))


def trained(settings: LLMSettings) -> Held:
    model = new_classifier(settings, AutoTokenizer.from_pretrained(settings.model)).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # a processor keeps a float for what is a byte on a GPU
    activations = (kept(model, 6) - kept(model, 2)) / 4
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned)
    forward(model, 2).backward()
    optimizer.step()
    states = [value for state in optimizer.state.values() for key, value in state.items() if key != "step"]
    return Held(
        weights=sum(parameter.nbytes for parameter in model.parameters()),
        gradients=sum(parameter.grad.nbytes for parameter in learned),
        optimizer=sum(state.nbytes for state in states),
        activations=activations,
        trainable=sum(parameter.numel() for parameter in learned),
        sizes=count(settings),
        planned=footprint(settings, count(settings)),
    )


def forward(model: Any, batch: int) -> Any:
    ids = torch.randint(5, 50, (batch, TOKENS), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[0, -2:] = 0  # without padding attention takes another way
    with torch.autocast("cpu", torch.bfloat16):
        return model(input_ids=ids, attention_mask=mask).logits.float().sum()


def kept(model: Any, batch: int) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, beside the weights."""
    seen = {parameter.untyped_storage().data_ptr(): 0 for parameter in model.parameters()}
    alive = []

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        seen.setdefault(storage.data_ptr(), storage.nbytes())
        alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        forward(model, batch)
    return sum(seen.values())


def test_what_is_trained_is_counted_as_it_is_trained(held: Held) -> None:
    assert held.sizes.trainable == held.trainable
    assert held.planned.gradients == held.gradients
    assert held.planned.optimizer == held.optimizer


def test_weights_are_those_held_and_the_copies_computed_with(held: Held) -> None:
    # peft keeps the head as it was beside the one that is trained.
    assert held.weights + 2 * held.sizes.trained_linear == pytest.approx(held.planned.weights, rel=0.07)


def test_activations_are_near_what_autograd_keeps(held: Held) -> None:
    assert 0.7 < held.planned.activations / held.activations < 1.45


SMALL = Sizes(
    parameters=1000,
    trainable=100,
    linear=900,
    trained_linear=80,
    linear_outputs=40,
    adapted_inputs=30,
    rms_norms=4,
    layers=2,
    hidden=10,
    inner=20,
    heads=2,
    attention=10,
    scores=False,
    relative_positions=0,
)
"""As small as can be reckoned in the head."""


def plan_of(**settings: Any) -> Footprint:
    return footprint(settings_of("any", **settings), SMALL)


def test_quantized_weights_take_half_a_byte_and_their_scales() -> None:
    dense, four, eight = (
        plan_of(quantization=quantization) for quantization in (None, {"load_in_4bit": True}, {"load_in_8bit": True})
    )
    assert dense.weights - four.weights == pytest.approx((900 - 80) * (2 - 0.5625))
    assert dense.weights - eight.weights == pytest.approx(900 - 80)
    assert (four.gradients, four.optimizer) == (dense.gradients, dense.optimizer)


def test_processes_without_deepspeed_hold_their_gradients_twice() -> None:
    one, four = plan_of(), plan_of(launch=LaunchSettings(processes=4))
    assert (four.weights, four.gradients, four.optimizer) == (one.weights, 2 * one.gradients, one.optimizer)


def zero(stage: int, **offload: Any) -> Footprint:
    deepspeed = {"zero_optimization": {"stage": stage, **offload}}
    return plan_of(launch=LaunchSettings(processes=2, nodes=2, deepspeed=deepspeed))


def test_each_stage_of_zero_deals_out_more() -> None:
    parts = [(each.weights, each.gradients, each.optimizer) for each in map(zero, range(4))]
    assert parts == [
        (2000, 200, 1200),
        (2000, 200, 300),
        (2000, 50, 300),
        (500 + 900, 50, 300),  # and one of the two layers whole
    ]


def test_what_zero_moves_to_the_host_is_not_on_the_device() -> None:
    host = {"device": "cpu"}
    moved = zero(3, offload_optimizer=host, offload_param=host)
    assert (moved.weights, moved.optimizer, moved.gradients) == (900, 0, 50)
    assert zero(3, offload_optimizer={"device": "none"}) == zero(3)


def test_activations_grow_with_the_batch_and_shrink_with_checkpointing() -> None:
    batches = (StageSettings(batch_size=2), StageSettings(batch_size=6))
    one, six = plan_of().activations, plan_of(stages=batches).activations
    checkpointed = plan_of(trainer={"gradient_checkpointing": True}).activations
    assert six == 6 * one
    assert checkpointed == pytest.approx(one / 2 + TOKENS * 2 * 2 * 10)


def test_the_mask_of_dropout_is_kept_with_adapters() -> None:
    masked = plan_of(lora=LORA.model_copy(update={"dropout": 0.1})).activations
    assert masked - plan_of().activations == TOKENS * 30


def test_attention_without_a_fused_kernel_keeps_its_scores() -> None:
    fused, eager = (replace(SMALL, scores=scores, relative_positions=16) for scores in (False, True))
    more = activation_bytes(settings_of("any"), eager) - activation_bytes(settings_of("any"), fused)
    assert more == TOKENS * 3 * 2 * 2 * 2 * (TOKENS + 16)


PEAK = """
import os, resource, sys
from pathlib import Path
import polars as pl
from shopglot.core.pairs import Pairs
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_settings import LLMSettings
from tests import shop
from tests.learn.learners import TEMPLATE

pairs = Pairs(shop.pairs(64).frame.with_columns(pl.col("query") + " green tea" * 200))
LLMLearner(LLMSettings.model_validate_json(sys.argv[1]), TEMPLATE).fit(pairs, Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""A program that trains on pairs longer than any model reads, and prints its own peak in kilobytes."""


def peak(settings: LLMSettings, work: Path) -> int:
    """Return the most memory that a process had which trained by `settings`, in bytes."""
    work.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", PEAK, settings.model_dump_json(), str(work)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(ended.stdout.splitlines()[-1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted in other units")
@pytest.mark.parametrize("lora", [LORA, None], ids=["adapters", "whole"])
def test_a_larger_batch_takes_as_much_more_as_was_planned(lora: LoraSettings | None, tmp_path: Path) -> None:
    wide = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 12, "layer_types": None}
    tiny_model(tmp_path / "model", "Qwen/Qwen3-0.6B", shop.texts(), **wide)
    one, many = (
        settings_of(tmp_path / "model", lora=lora, max_tokens=128, stages=(StageSettings(batch_size=batch, steps=2),))
        for batch in (1, 16)
    )
    measured = peak(many, tmp_path / "many") - peak(one, tmp_path / "one")
    planned = footprint(many, count(many)).total - footprint(one, count(one)).total
    assert 0.7 < planned / measured < 1.45
