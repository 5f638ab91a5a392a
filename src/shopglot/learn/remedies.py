"""Why a training cannot run on a device, and what would make it run."""

from itertools import combinations
from typing import Any, Final

from shopglot.learn.footprint import Footprint, footprint
from shopglot.learn.gpus import Gpu
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from shopglot.learn.sizes import Sizes, count

GIB: Final = 1024**3
USABLE: Final = 0.92
"""The share of a device's memory that can be filled; the rest goes to its driver and is lost between blocks."""
_CHECKPOINTING: Final = "gradient checkpointing (trainer.activation_checkpointing: true)"
_ONE_BY_ONE: Final = "batch_size 1 with as much more accumulation"
_LORA: Final = "LoRA (leave lora: null out)"
_ZERO_3: Final = "ZeRO-3 (launch.deepspeed.zero_optimization.stage: 3)"
_FOUR_BIT: Final = "4-bit weights (quantization.load_in_4bit: true)"


def problem(settings: LLMSettings, sizes: Sizes, gpu: Gpu) -> str | None:
    """Return in one sentence why this cannot be trained on `gpu` and the fewest changes that help; None if it can."""
    if settings.dtype == "bfloat16" and not gpu.bfloat16:
        return f"{settings.name} cannot run: {gpu.name} does not compute in bfloat16; set its dtype to float16"
    if settings.quantization and gpu.name == "cpu":
        return f"{settings.name} cannot run: quantized weights need a GPU; leave its quantization out"
    memory = footprint(settings, sizes)
    if _fits(memory, gpu):
        return None
    remedies = ", or ".join(_remedies(settings, sizes, gpu))
    return (
        f"{settings.name} does not fit: it needs {memory.total / GIB:.0f} GiB per device, and {gpu.name} can fill "
        f"{USABLE * gpu.memory:.0f} GiB; {f'use {remedies}' if remedies else 'take a smaller model or a larger device'}"
    )


def _fits(memory: Footprint, gpu: Gpu) -> bool:
    return memory.total <= USABLE * gpu.memory * GIB


def _remedies(settings: LLMSettings, sizes: Sizes, gpu: Gpu) -> list[str]:
    """Return the changes that are each enough to make it fit, or else the first ones that are so together."""
    changes = _changes(settings, gpu)
    with_adapters = sizes if settings.lora else count(settings.model_copy(update={"lora": LoraSettings()}))
    for number in range(1, len(changes) + 1):
        enough = []
        for names in combinations(changes, number):
            other = settings.model_copy(update={key: value for name in names for key, value in changes[name].items()})
            possible = not {_ZERO_3, _FOUR_BIT} <= {*names} and not (other.quantization and not other.lora)
            if possible and _fits(footprint(other, with_adapters if other.lora else sizes), gpu):
                enough.append(" with ".join(names))
        if enough:
            return enough if number == 1 else enough[:1]
    return []


def _changes(settings: LLMSettings, gpu: Gpu) -> dict[str, dict[str, Any]]:
    """Return what can still be changed to save memory, the least harmful first."""
    changes: dict[str, dict[str, Any]] = {}
    if not settings.checkpointing:
        changes[_CHECKPOINTING] = {"trainer": {**settings.trainer, "activation_checkpointing": True}}
    if any(stage.batch_size > 1 for stage in settings.stages):
        singly = {"batch_size": 1}
        changes[_ONE_BY_ONE] = {"stages": tuple(stage.model_copy(update=singly) for stage in settings.stages)}
    if settings.launch.world_size > 1 and not settings.quantization:
        zero = {"deepspeed": {"zero_optimization": {"stage": 3}}}
        changes[_ZERO_3] = {"launch": settings.launch.model_copy(update=zero)}
    if settings.lora is None:
        changes[_LORA] = {"lora": LoraSettings()}
    if not settings.quantization and gpu.name != "cpu":
        changes[_FOUR_BIT] = {"quantization": {"load_in_4bit": True}}
    return changes
