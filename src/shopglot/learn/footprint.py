"""The memory that training takes on each device, by formula."""

from dataclasses import dataclass
from typing import Any, Final

from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.sizes import Sizes

_WIDTH: Final = {"bfloat16": 2, "float16": 2, "float32": 4}
_FLOAT32: Final = 4
_MASK: Final = 1
_4_BIT: Final = 0.5 + 4 / 64
"""Half a byte, and a float32 scale for every 64 weights (Dettmers et al. 2023)."""
_8_BIT: Final = 1.0
_OF_OPTIMIZER, _OF_GRADIENTS, _OF_WEIGHTS = 1, 2, 3
"""ZeRO's stages, by what each deals out beside that of the one before."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes on each device at the fullest moment of a training step."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All of it together."""
        return self.weights + self.gradients + self.optimizer + self.activations


def footprint(settings: LLMSettings, sizes: Sizes) -> Footprint:
    """Return what training by `settings` takes on each device when every text has `max_tokens` tokens.

    Frozen weights are held in `dtype`, those of linear layers in 4 or 8 bits if quantized; trained ones are held in
    float32 with a copy in `dtype` to compute with, a float32 gradient and AdamW's two numbers. With several processes
    the gradients lie in memory twice, to be exchanged. DeepSpeed shares all of this in its own way.
    """
    width = _WIDTH[settings.dtype]
    activations = activation_bytes(settings, sizes)
    if (deepspeed := settings.launch.deepspeed) is not None:
        return _with_zero(settings, sizes, deepspeed.get("zero_optimization", {}), activations)
    trained = _FLOAT32 * sizes.trainable
    copies = width * sizes.trained_linear if width < _FLOAT32 else 0
    return Footprint(
        weights=_frozen(settings, sizes) + trained + copies,
        gradients=trained * min(settings.launch.world_size, 2),
        optimizer=2 * trained,
        activations=activations,
    )


def activation_bytes(settings: LLMSettings, sizes: Sizes) -> float:
    """Return what the forward pass of the largest batch keeps for the backward pass.

    For each token that is, after the manner of Korthikanti et al. 2022,

    - the output of every linear layer, and of the activation function between them;
    - of every RMS norm its input in float32, and twice if its weight is trained;
    - if all weights are trained, what the linear layers read: q, k and v together, the attention's output, the
      feed-forward part and its way back; if adapters are, what each of them reads, with the mask of its dropout;
    - where attention has no fused kernel, three numbers for each head and each position it scores.

    With gradient checkpointing it is what stands between the layers, and all of the above for one layer only.
    """
    width = _WIDTH[settings.dtype]
    norms = _FLOAT32 * sizes.hidden * sizes.rms_norms
    kept: float = width * (sizes.linear_outputs + sizes.layers * sizes.inner) + norms
    if settings.lora is None:
        kept += norms + width * sizes.layers * (2 * sizes.hidden + sizes.attention + sizes.inner)
    else:
        kept += (width + (_MASK if settings.lora.dropout else 0)) * sizes.adapted_inputs
    if sizes.scores:
        kept += 3 * width * sizes.layers * sizes.heads * (settings.max_tokens + sizes.relative_positions)
    if settings.checkpointing:
        kept = kept / sizes.layers + width * sizes.layers * sizes.hidden
    return max(stage.batch_size for stage in settings.stages) * settings.max_tokens * kept


def _with_zero(settings: LLMSettings, sizes: Sizes, zero: dict[str, Any], activations: float) -> Footprint:
    """Return the footprint under DeepSpeed, which holds all weights in `dtype` and a float32 copy of the trained ones.

    ZeRO's stages 1, 2 and 3 deal out that copy with AdamW's two numbers, the gradients and the weights over the
    devices (Rajbhandari et al. 2020), and may move the first and the last to the host; the weights of the layer at
    work are whole on every device.
    """
    width, stage = _WIDTH[settings.dtype], zero.get("stage", 0)
    optimizer, gradients, weights = (
        1 / settings.launch.world_size if stage >= part else 1 for part in (_OF_OPTIMIZER, _OF_GRADIENTS, _OF_WEIGHTS)
    )
    held = weights * (_frozen(settings, sizes) + width * sizes.trainable)
    at_work = width * sizes.linear / sizes.layers if stage >= _OF_WEIGHTS else 0
    state = _FLOAT32 * sizes.trainable * (3 if width < _FLOAT32 else 2)
    return Footprint(
        weights=at_work + (0 if _offloaded(zero, "param") else held),
        gradients=gradients * width * sizes.trainable,
        optimizer=0 if _offloaded(zero, "optimizer") else optimizer * state,
        activations=activations,
    )


def _offloaded(zero: dict[str, Any], part: str) -> bool:
    target: dict[str, Any] = zero.get(f"offload_{part}") or {}
    return bool(target.get("device", "none") != "none")


def _frozen(settings: LLMSettings, sizes: Sizes) -> float:
    """Return the bytes of the weights that are not trained."""
    width, quantization = _WIDTH[settings.dtype], settings.quantization or {}
    each = _4_BIT if quantization.get("load_in_4bit") else _8_BIT if quantization.get("load_in_8bit") else width
    linear = sizes.linear - sizes.trained_linear
    return width * (sizes.parameters - sizes.trainable - linear) + each * linear
