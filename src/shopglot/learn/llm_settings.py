"""Settings of the fine-tuned language models; a recipe lists them under `learn` as `learner: llm`."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, field_validator, model_validator

from shopglot.core.pair import TASKS, Task
from shopglot.format.prompt import PromptSettings

_SAID_ELSEWHERE: Final[Mapping[str, str]] = {
    "output_dir": "--out of the run",
    "max_steps": "steps of a stage",
    "num_train_epochs": "epochs of a stage",
    "per_device_train_batch_size": "batch_size of a stage",
    "gradient_accumulation_steps": "accumulation of a stage",
    "learning_rate": "learning_rate of a stage",
    "lr_scheduler_type": "schedule of a stage",
    "warmup_steps": "warmup of a stage",
    "weight_decay": "weight_decay of a stage",
    "save_steps": "save_steps of a stage",
    "seed": "seed of the learner",
    "deepspeed": "deepspeed under launch",
}
"""Fields of TrainingArguments that the recipe has another name for, by which checkpoints, resuming and `plan` go."""


class LoraSettings(BaseModel):
    """Low-rank adapters (Hu et al. 2022) on a frozen base model; the head is always trained whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1, description="The rank of the update of each adapted matrix.")
    alpha: int = Field(default=32, gt=0, description="The update is scaled by alpha / rank.")
    dropout: float = Field(default=0.01, ge=0, lt=1, description="Dropout before each adapter.")
    targets: Literal["attention", "all-linear"] = Field(
        default="all-linear", description="Adapt the attention's projections, or all linear layers but the head."
    )
    peft: dict[str, Any] = Field(default={}, description="Any other field of peft's LoraConfig, such as use_dora.")


class HierarchySettings(BaseModel):
    """Category levels as further targets in training: a pair that is relevant makes its path's ancestors relevant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: int = Field(default=3, ge=1, description="The first levels of a path that get a target each.")
    weight: float = Field(default=0.3, ge=0, description="The weight of the levels' loss.")
    consistency: float = Field(
        default=0.1, ge=0, description="The weight of the penalty on a child more relevant than its parent."
    )


class StageSettings(BaseModel):
    """One stretch of training; a later stage starts exactly where the one before ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: tuple[Task, ...] | None = Field(
        default=None, description="The tasks it trains on; None: all of the learner."
    )
    epochs: float = Field(default=2, gt=0, description="Passes over the pairs, unless `steps` is given.")
    steps: int | None = Field(default=None, ge=1, description="Optimizer steps; None: as `epochs` says.")
    batch_size: int = Field(default=8, ge=1, description="Pairs per process and forward pass, on average.")
    accumulation: int = Field(
        default=1, ge=1, description="Forward passes per optimizer step, among which its pairs are dealt by length."
    )
    learning_rate: float = Field(default=1e-4, gt=0, description="The highest learning rate, after the warm-up.")
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        default="linear", description="How the learning rate falls."
    )
    warmup: float = Field(default=0.03, ge=0, lt=1, description="The share of steps in which the rate rises.")
    weight_decay: float = Field(default=1e-4, ge=0, description="AdamW's weight decay.")
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5, description="Labels become this and one minus this.")
    stop_after: int | None = Field(
        default=None,
        ge=1,
        description="Stop after so many looks at the development part without a lower loss; None: train to the end.",
    )
    save_steps: int = Field(
        default=200, ge=1, description="Steps between checkpoints, and between looks at the development part."
    )


class LaunchSettings(BaseModel):
    """Where training runs: in this process, or started by torchrun on several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: int = Field(default=1, ge=1, description="Processes per node, one per device.")
    nodes: int = Field(default=1, ge=1, description="Machines; the same command runs on each of them.")
    node_rank: int = Field(default=0, ge=0, description="Which of the machines this is, from 0.")
    address: str = Field(default="127.0.0.1:29500", description="Host and port of the first machine.")
    deepspeed: dict[str, Any] | None = Field(default=None, description="A DeepSpeed configuration, passed on whole.")
    devices: tuple[str, ...] = Field(
        default=(), description="Groups of GPUs such as '0,1', each of which trains one fold at a time, all at once."
    )

    @property
    def world_size(self) -> int:
        """How many processes, and so devices, share the training of one model."""
        return self.processes * self.nodes

    @property
    def alone(self) -> bool:
        """Whether training needs no other process."""
        return self.world_size == 1 and self.deepspeed is None and not self.devices


class LLMSettings(BaseModel):
    """A language model or encoder with a classification head, fine-tuned whole or by LoRA, in one or more stages."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    learner: Literal["llm"] = "llm"
    name: str = Field(default="llm", description="The name its scores are kept under.")
    tasks: tuple[Task, ...] = Field(default=TASKS, description="The tasks it scores; its stages may train on others.")
    model: str = Field(description="An embedded, local or hub model.")
    text: Literal["prompt", "pair"] = Field(
        default="prompt", description="One running text, or the tokenizer's own form of a pair, which encoders know."
    )
    prompt: PromptSettings = PromptSettings()
    pad_token: str | None = Field(default=None, description="The token to pad with, where the tokenizer has none.")
    max_tokens: int = Field(default=128, ge=16, description="The longer of query and target is cut at its end.")
    head: Literal["pooled", "yes-no"] = Field(
        default="pooled",
        description="A new head on the last token, or one that starts as the difference of the logits of two words.",
    )
    words: tuple[str, str] = Field(default=(" yes", " no"), description="The words of the yes-no head.")
    task_heads: bool = Field(default=False, description="Give each task an output of its own, on shared layers.")
    hierarchy: HierarchySettings | None = Field(default=None, description="Targets per category level; None: off.")
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        default="bfloat16", description="The type in which the weights are loaded and computed."
    )
    lora: LoraSettings | None = Field(default=LoraSettings(), description="Train adapters; None: all weights.")
    quantization: dict[str, Any] | None = Field(
        default=None, description="Fields of bitsandbytes' configuration, such as load_in_4bit; needs a GPU."
    )
    task_weights: dict[Task, NonNegativeFloat] = Field(default={}, description="How often a task is drawn, against 1.")
    language_weights: dict[str, NonNegativeFloat] = Field(
        default={}, description="How often a language is drawn, against 1."
    )
    stages: tuple[StageSettings, ...] = Field(default=(StageSettings(),), min_length=1, description="In their order.")
    launch: LaunchSettings = LaunchSettings()
    trainer: dict[str, Any] = Field(
        default={}, description="Any other field of transformers' TrainingArguments, such as report_to."
    )
    seed: int = Field(default=0, description="Seed of the head, the adapters, the dropout and the order of the pairs.")

    @field_validator("trainer")
    @classmethod
    def _nothing_is_said_twice(cls, trainer: dict[str, Any]) -> dict[str, Any]:
        if twice := [name for name in trainer if name in _SAID_ELSEWHERE]:
            raise ValueError(f"{twice[0]} is no setting of trainer here; use {_SAID_ELSEWHERE[twice[0]]}")
        return trainer

    @model_validator(mode="after")
    def _a_head_can_be_read(self) -> Self:
        if self.head == "yes-no" and self.text != "prompt":
            raise ValueError("the yes-no head reads the answer of a prompt; set text to prompt")
        if self.head == "yes-no" and (self.task_heads or self.hierarchy):
            raise ValueError("the yes-no head has one output; leave task_heads and hierarchy out")
        return self

    @property
    def checkpointing(self) -> bool:
        """Whether activations are computed again instead of kept, by transformers' name for it or its former one."""
        former = self.trainer.get("gradient_checkpointing", False)
        return bool(self.trainer.get("activation_checkpointing", former))

    @property
    def trained_tasks(self) -> tuple[Task, ...]:
        """The tasks whose pairs it needs: those it scores and those of its stages."""
        needed = {*self.tasks, *(task for stage in self.stages for task in stage.tasks or ())}
        return tuple(task for task in TASKS if task in needed)
