"""Settings of the learners; a recipe lists them under `learn`."""

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.core.pair import TASKS, Task
from shopglot.format.settings import QueryText
from shopglot.learn.llm_settings import LLMSettings

UNIVERSAL: Final = "embedded:universal-sentence-encoder"


class LexicalSettings(BaseModel):
    """Character n-grams and Jaccard: the floor that every other learner has to beat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner: Literal["lexical"] = "lexical"
    name: str = Field(default="lexical", description="The name its scores are kept under.")
    tasks: tuple[Task, ...] = Field(default=TASKS, description="The tasks it learns.")


class ContrastSettings(BaseModel):
    """Contrastive fine-tuning of a sentence encoder before its head is fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=200, ge=1, description="Optimizer steps.")
    batch_size: int = Field(default=96, ge=2, description="Relevant pairs per step, each the others' negative.")
    layers: int = Field(default=6, ge=1, description="The last layers, which are trained; those below stay frozen.")
    learning_rate: float = Field(default=2e-4, gt=0, description="The highest learning rate, after the warm-up.")
    temperature: float = Field(default=0.03, gt=0, description="What cosines are divided by in the loss.")
    bf16: bool | None = Field(default=None, description="Compute in bfloat16; None: where the processor has it.")
    save_steps: int = Field(
        default=100, ge=1, description="Steps between checkpoints, from which a killed run goes on."
    )
    seed: int = Field(default=0, description="Seed of the views, the negatives and the order of the pairs.")


class EmbeddingSettings(BaseModel):
    """Sentence vectors of query and target, compared by a small network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner: Literal["embedding"] = "embedding"
    name: str = Field(default="embedding", description="The name its scores are kept under.")
    tasks: tuple[Task, ...] = Field(default=TASKS, description="The tasks it learns, each with a head of its own.")
    model: str = Field(default=UNIVERSAL, description="An embedded, local or hub model.")
    prefix: str = Field(default="", description="What the model wants before every text, such as `query: `.")
    queries: tuple[QueryText, ...] = Field(
        default=("original",), min_length=1, description="Which texts of the query are compared, each with all targets."
    )
    windows: tuple[int, ...] = Field(default=(2, 4), description="Widths in words of the parts of a title looked at.")
    layers: int | None = Field(
        default=None, ge=1, description="Layers of the encoder that are kept, evenly spaced; None: all of them."
    )
    contrast: ContrastSettings | None = Field(default=None, description="Fine-tune the encoder first; None: frozen.")
    hidden: tuple[int, ...] = Field(default=(64, 32), description="The widths of the head's layers.")
    networks: int = Field(default=3, ge=1, description="Heads that are trained from other seeds and averaged.")
    branch_levels: int = Field(default=2, ge=1, description="Paths with the same first levels are one branch.")
    hidden_parts: int = Field(default=3, ge=2, description="Parts of the branches that are hidden in turn in training.")
    seed: int = Field(default=0, description="Seed of the heads.")

    @model_validator(mode="after")
    def _can_be_tuned(self) -> Self:
        for key, asked in (("contrast", self.contrast), ("layers", self.layers)):
            if asked is not None and self.model == UNIVERSAL:
                raise ValueError(f"{UNIVERSAL} stays frozen; leave `{key}` out, or name a transformer as `model`")
        return self


class EncoderSettings(BaseModel):
    """A cross-encoder: one transformer reads query and target together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learner: Literal["encoder"] = "encoder"
    name: str = Field(default="encoder", description="The name its scores are kept under.")
    tasks: tuple[Task, ...] = Field(default=TASKS, description="The tasks it learns, together in one model.")
    model: str = Field(default="embedded:multilingual-e5-small", description="An embedded, local or hub model.")
    layers: int | None = Field(
        default=None, ge=1, description="Layers that are kept, evenly spaced, before the training; None: all of them."
    )
    steps: int = Field(default=600, ge=1, description="Optimizer steps.")
    batch_size: int = Field(default=8, ge=1, description="Pairs per forward pass, on average.")
    accumulation: int = Field(
        default=4, ge=1, description="Forward passes per step, among which its pairs are dealt by length."
    )
    learning_rate: float = Field(default=5e-5, gt=0, description="The highest learning rate, after the warm-up.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="The share of steps in which the rate rises.")
    weight_decay: float = Field(default=0.01, ge=0, description="AdamW's weight decay.")
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = Field(
        default="linear", description="How the learning rate falls after the warm-up."
    )
    max_tokens: int = Field(
        default=64, ge=8, description="Of a longer pair, the longer of query and target is cut at its end."
    )
    freeze_embeddings: bool = Field(default=True, description="Keep the word embeddings as they are.")
    bf16: bool | None = Field(default=None, description="Compute in bfloat16; None: where the processor has it.")
    save_steps: int = Field(
        default=200, ge=1, description="Steps between checkpoints, from which a killed run goes on."
    )
    seed: int = Field(default=0, description="Seed of the new head, the dropout and the order of the pairs.")


LearnerSettings = Annotated[
    LexicalSettings | EmbeddingSettings | EncoderSettings | LLMSettings, Field(discriminator="learner")
]


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError for names of learners that are no names of folders, and for two that are the same."""
    for name in names:
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ValueError(f"{name!r} is no name of a learner; use letters and digits, and . _ - between them")
    if len(set(names)) < len(names):
        raise ValueError(f"two learners share a name among {', '.join(names)}; give one of them a `name`")
