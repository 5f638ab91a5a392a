"""The devices that training can be planned for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shopglot.core.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Gpu:
    """A device: its memory in GiB, and its dense peak in TFLOP/s with 16-bit and 32-bit numbers."""

    name: str
    memory: float
    half: float
    single: float
    bfloat16: bool = True


GPUS: Final[Mapping[str, Gpu]] = {
    gpu.name: gpu
    for gpu in (
        Gpu("a100-40gb", 39.5, 312, 19.5),
        Gpu("a100-80gb", 80, 312, 19.5),
        Gpu("h100-80gb", 79.6, 989, 67),
        Gpu("l4", 22.5, 121, 30.3),
        Gpu("rtx-4090", 24, 165, 82.6),
        Gpu("t4", 15, 65, 8.1, bfloat16=False),
        Gpu("cpu", 16, 0.412, 0.189),
    )
}
"""Figures of the vendors; `cpu` are two cores with AVX-512 and bfloat16, as measured, and 16 GiB."""


def gpu_named(name: str) -> Gpu:
    """Return the device of that name; RecipeError names those that are known."""
    if name not in GPUS:
        raise RecipeError(f"no GPU {name!r}; there are {', '.join(GPUS)}")
    return GPUS[name]
