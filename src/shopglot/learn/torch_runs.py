"""What all models in torch share: the arguments of the Trainer, going on after a kill, and scoring in batches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError

from shopglot.core.batches import by_length
from shopglot.core.errors import BundleError, TrainingError
from shopglot.core.files import NO_ROOM, named_where_there_is_no_room
from shopglot.core.metrics import Floats
from shopglot.core.progress import tracked

TOKEN_BUDGET: Final = 4096
"""Tokens per batch when scoring, padding included."""

BY_LENGTH_WITHIN_STEPS: Final = "batch_rebalance"
"""Which pairs make a step is random; they are dealt by length among its passes, so that little is padded."""


def training_rows(encoded: dict[str, list[list[int]]], labels: NDArray[Any]) -> Any:
    """Return token columns and `labels`, shape (rows, outputs), as a dataset that tells the length of each row.

    Where rows are dealt by length, the Trainer draws them in one and the same order; give them in a random one.
    """
    from datasets import Dataset

    lengths = [len(ids) for ids in encoded["input_ids"]]
    return Dataset.from_dict({**encoded, "labels": labels.astype(np.float32).tolist(), "length": lengths})


def training_arguments(work: Path, *, bf16: bool | None, **settings: Any) -> dict[str, Any]:
    """Return arguments for a Hugging Face Trainer that keeps one checkpoint in `work` and reports to nobody.

    `bf16` of None means: where the processor computes in it.
    """
    import torch

    cpu = not torch.cuda.is_available()
    return {
        "output_dir": str(work),
        "save_strategy": "steps",
        "save_total_limit": 1,
        "report_to": "none",
        "logging_steps": 50,
        "use_cpu": cpu,
        "bf16": has_bf16() if bf16 is None else bf16,
        "dataloader_pin_memory": not cpu,
        **settings,
    }


def has_bf16() -> bool:
    """Return whether this machine's processor or accelerator computes in bfloat16."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())  # torch has no public question for it


def train(trainer: Any, work: Path) -> None:
    """Train to the end, from the last whole checkpoint in `work` if there is one."""
    # The Trainer writes its state last, so a checkpoint without one was cut short by a kill.
    whole = [state.parent for state in work.glob("checkpoint-*/trainer_state.json")]
    last = max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)
    try:
        # It prints what it measures; standard output is for the results of a command.
        with told_where_the_disk_is_full(work), redirect_stdout(sys.stderr):
            trainer.train(resume_from_checkpoint=None if last is None else str(last))
    except (LookupError, RuntimeError, SafetensorError, ValueError) as reason:
        if last is None or trainer.state.global_step:  # the checkpoint had been read
            raise
        raise BundleError(f"{last} is no checkpoint of this model; remove it, and training starts anew") from reason
    finally:
        for callback in trainer.callback_handler.callbacks:
            if (bar := getattr(callback, "training_bar", None)) is not None:
                bar.close()  # or the sentence that says why it stopped would stand in the bar's line


@contextmanager
def told_where_the_disk_is_full(work: Path) -> Iterator[None]:
    """Turn a full disk into a TrainingError that says how to go on."""
    try:
        with named_where_there_is_no_room(work):
            yield
    except OSError as reason:
        if reason.errno not in NO_ROOM:
            raise
        raise TrainingError(
            f"{work} cannot be written ({reason.strerror}); earlier checkpoints are whole: make room and run the same "
            "command again"
        ) from reason


def logits(model: Any, tokenizer: Any, encoded: dict[str, list[list[int]]], *, autocast: bool) -> Floats:
    """Return what the model says of each row of token columns, shape (rows, outputs), in batches of like length."""
    import torch

    lengths = np.array([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)
    said = np.empty((len(lengths), model.config.num_labels))
    model.eval()
    with (
        on_the_gpu(model),
        torch.inference_mode(),
        torch.autocast(model.device.type, torch.bfloat16, enabled=autocast),
    ):
        for rows in tracked(list(by_length(lengths, budget=TOKEN_BUDGET)), "scoring pairs", size=len(lengths)):
            batch = {name: [values[row] for row in rows] for name, values in encoded.items()}
            padded = tokenizer.pad(batch, return_tensors="pt").to(model.device)
            said[rows] = model(**padded).logits.float().cpu().numpy()
    return said


@contextmanager
def on_the_gpu(model: Any) -> Iterator[None]:
    """Lend the model the GPU, if there is one, for the block: the folds' models would not fit there together."""
    import torch

    if not torch.cuda.is_available() or getattr(model, "is_quantized", False):  # quantized weights are there already
        yield
        return
    model.to("cuda")
    try:
        yield
    finally:
        model.to("cpu")


def for_each_distinct(texts: pl.DataFrame, compute: Callable[[pl.DataFrame], Floats]) -> Floats:
    """Return `compute` of the distinct rows of `texts`, handed back to every row that reads the same."""
    distinct = texts.unique(maintain_order=True).with_row_index("row")
    positions = texts.join(distinct, on=texts.columns, how="left", maintain_order="left")["row"].to_numpy()
    return np.asarray(compute(distinct)[positions])
