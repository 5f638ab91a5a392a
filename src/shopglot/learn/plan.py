"""What fine-tuning a language model will take, before anything is loaded: parameters, memory, steps and time."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from shopglot.learn.footprint import Footprint, footprint
from shopglot.learn.gpus import Gpu
from shopglot.learn.llm_settings import LLMSettings, StageSettings
from shopglot.learn.remedies import problem
from shopglot.learn.sizes import Sizes, count
from shopglot.learn.workload import Workload

MOST_PARAMETERS: Final = 15_000_000_000
"""What the competition allows a model to have."""
UTILISATION: Final = 0.35
"""The share of a device's peak that training reaches; on two cores Gemma-3-270M with LoRA reached a third."""
_TERA: Final = 1e12


@dataclass(frozen=True, slots=True)
class Plan:
    """What one learner will take on devices of one kind."""

    settings: LLMSettings
    sizes: Sizes
    memory: Footprint
    devices: int
    """All that train at a time, on one fold or several."""
    steps: int
    """Optimizer steps of all fits and stages together."""
    tokens: int
    """Tokens trained on, in all of them."""
    seconds: float
    problem: str | None
    """Why it cannot run, with the remedy; None: it can."""


def plan(settings: LLMSettings, work: Workload, gpu: Gpu) -> Plan:
    """Return what `settings` take on devices like `gpu` for all fits and all scoring of `work`.

    Time is operations over the peak that is reached. They are counted per weight that multiplies a token, as in
    Kaplan et al. 2020: two forward, two back through the activations, two more where the weight is trained, and the
    forward ones again with gradient checkpointing; scoring is forward only, on one device. Left out are attention's
    own products, loading, the looks at the development part and the exchange between devices.
    """
    sizes = count(settings)
    length = min(work.tokens or settings.max_tokens, settings.max_tokens)
    steps = tokens = 0
    for stage in settings.stages:
        for pairs in work.fits(stage.tasks or settings.tasks):
            taken = training_steps(stage, pairs, settings.launch.world_size)
            steps += taken
            tokens += taken * stage.batch_size * stage.accumulation * settings.launch.world_size * length
    together = settings.launch.world_size * max(len(settings.launch.devices), 1)
    operations = tokens * _training_operations(settings, sizes) / together
    operations += work.scored(settings.tasks) * length * 2 * sizes.linear
    peak = _TERA * (gpu.single if settings.dtype == "float32" else gpu.half)
    return Plan(
        settings=settings,
        sizes=sizes,
        memory=footprint(settings, sizes),
        devices=together,
        steps=steps,
        tokens=tokens,
        seconds=operations / (peak * UTILISATION),
        problem=problem(settings, sizes, gpu),
    )


def training_steps(stage: StageSettings, pairs: int, devices: int) -> int:
    """Return the optimizer steps of a stage, as the Hugging Face Trainer counts them.

    >>> training_steps(StageSettings(epochs=2, batch_size=4, accumulation=2), pairs=1001, devices=4)
    64
    """
    if stage.steps is not None:
        return stage.steps
    batches = ceil(pairs / (stage.batch_size * devices))
    return ceil(stage.epochs * ceil(batches / stage.accumulation))


def _training_operations(settings: LLMSettings, sizes: Sizes) -> int:
    """Return the floating-point operations of training on one token."""
    passes = 3 if settings.checkpointing else 2
    return 2 * (passes * sizes.linear + sizes.trained_linear)
