"""The stages of a fine-tuning: each starts exactly where the one before ended, and is kept when it is whole."""

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from shopglot.core.errors import DataError, RecipeError, TrainingError
from shopglot.core.files import read_json, write_json
from shopglot.core.folds import Mask
from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.fold.group import group_pairs
from shopglot.fold.hashing import unit_hash
from shopglot.fold.settings import FoldSettings
from shopglot.format.template import Template
from shopglot.learn.llm_scorer import LLMScorer
from shopglot.learn.llm_settings import LLMSettings, StageSettings
from shopglot.learn.targets import loss_of, output_names, targets_of
from shopglot.learn.torch_runs import (
    BY_LENGTH_WITHIN_STEPS,
    told_where_the_disk_is_full,
    train,
    training_arguments,
    training_rows,
)

PROBE: Final = "probe.json"
"""What the end of a stage said of a few pairs; the next one has to begin by saying the same."""

_PROBED: Final = 16
_ROUNDING: Final = 1e-3
_DEVELOPMENT: Final = 0.1
"""The share of the query groups that a stage which may stop early looks at instead of learning from."""


def stage_folders(settings: LLMSettings, work: Path) -> list[Path]:
    """Return where each stage is kept when it is whole, in their order."""
    return [work / f"stage-{number}" for number in range(len(settings.stages))]


def train_stages(settings: LLMSettings, template: Template, pairs: Pairs, work: Path) -> None:
    """Train all stages into their folders; a killed run goes on in the stage where it was.

    Every process of a distributed run calls this with the same arguments; the first of them writes.
    """
    from transformers import set_seed

    folders = stage_folders(settings, work)
    for stage, before, folder in zip(settings.stages, [None, *folders], folders, strict=False):
        if not folder.is_dir():
            set_seed(settings.seed)
            _train_stage(settings, stage, template, pairs, before, folder)


def _train_stage(
    settings: LLMSettings, stage: StageSettings, template: Template, pairs: Pairs, start: Path | None, folder: Path
) -> None:
    own = pairs.of_tasks(stage.tasks or settings.tasks)
    if not len(own):
        raise DataError(f"no pair of {' or '.join(stage.tasks or settings.tasks)} is left to train {settings.name!r}")
    scorer = LLMScorer.new(settings, template) if start is None else LLMScorer.load(start, trained=True)
    learned, looked_at = _parted(own, stage, settings.seed)
    checkpoints = folder.with_name(folder.name + ".work")
    trainer = _trainer(scorer, stage, _drawn(learned, settings), looked_at, checkpoints)
    probe = _rows(scorer, pairs.filter(np.arange(len(pairs)) < _PROBED), 0.0)
    if start is not None:
        _check_it_goes_on(np.array(read_json(start / PROBE)), trainer.predict(probe).predictions, folder)
    train(trainer, checkpoints)
    said = trainer.predict(probe).predictions
    _check_it_stayed_in_bounds(said, settings.name, checkpoints)
    with told_where_the_disk_is_full(checkpoints):
        _keep(trainer, scorer, said, folder)
    shutil.rmtree(checkpoints, ignore_errors=True)


def _check_it_stayed_in_bounds(said: Floats, name: str, checkpoints: Path) -> None:
    """Raise where the weights have run away, after which a model says nothing but NaN."""
    if not np.isfinite(said).all():
        raise TrainingError(
            f"{name!r} has learned numbers beyond all bounds; lower its learning_rate, delete {checkpoints} and train "
            "again"
        )


def _check_it_goes_on(ended: Floats, begun: Floats, folder: Path) -> None:
    """Raise where a stage does not begin with what the one before had learned."""
    apart = float(np.abs(ended - begun).max())
    if not apart <= _ROUNDING * max(1.0, float(np.abs(ended).max())):
        raise TrainingError(
            f"{folder.name} begins {apart:.3g} away from where the stage before it ended; delete {folder.parent} and "
            "train again"
        )


def _parted(pairs: Pairs, stage: StageSettings, seed: int) -> tuple[Pairs, Pairs | None]:
    """Return the pairs to learn from and, for a stage that may stop early, those of the queries set apart for that."""
    if stage.stop_after is None:
        return pairs, None
    groups = group_pairs(pairs, FoldSettings(qc="query", qi="query"))["query"].cast(str).fill_null("")
    apart: Mask = unit_hash(groups, seed) < _DEVELOPMENT
    if not 0 < apart.sum() < len(pairs):
        raise DataError("stop_after needs pairs of more queries to set some apart; leave it out, or label more")
    return pairs.filter(~apart), pairs.filter(apart)


def _drawn(pairs: Pairs, settings: LLMSettings) -> Pairs:
    """Return the pairs in random order, as often as the weights of their task and language say, on average."""
    draw, shuffle = np.random.default_rng(settings.seed).spawn(2)
    task = pairs["task"].cast(str).replace_strict(settings.task_weights, default=1.0).to_numpy()
    language = pairs["language"].fill_null("").replace_strict(settings.language_weights, default=1.0).to_numpy()
    wanted = task * language
    copies = np.floor(wanted + draw.random(len(pairs))).astype(np.int64)
    if not copies.any():
        raise RecipeError(f"task_weights and language_weights of {settings.name!r} leave no pair; raise one above 0")
    return Pairs(pairs.frame[shuffle.permutation(np.repeat(np.arange(len(pairs)), copies))])


def _rows(scorer: LLMScorer, pairs: Pairs, smoothing: float) -> Any:
    encoded = scorer.reader.encode(scorer.reader.texts(pairs))
    return training_rows(encoded, targets_of(pairs, output_names(scorer.settings), smoothing))


def _trainer(
    scorer: LLMScorer, stage: StageSettings, learned: Pairs, looked_at: Pairs | None, checkpoints: Path
) -> Any:
    from transformers import DataCollatorWithPadding, EarlyStoppingCallback, Trainer, TrainingArguments

    settings = scorer.settings
    stopping = {
        "eval_strategy": "steps",
        "eval_steps": stage.save_steps,
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
    }
    arguments = training_arguments(
        checkpoints,
        bf16=settings.dtype == "bfloat16",
        fp16=settings.dtype == "float16",
        max_steps=stage.steps or -1,
        num_train_epochs=stage.epochs,
        per_device_train_batch_size=stage.batch_size,
        per_device_eval_batch_size=stage.batch_size,
        gradient_accumulation_steps=stage.accumulation,
        train_sampling_strategy=BY_LENGTH_WITHIN_STEPS,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup,
        weight_decay=stage.weight_decay,
        save_steps=stage.save_steps,
        label_names=["labels"],
        seed=settings.seed,
        deepspeed=settings.launch.deepspeed,
        **(stopping if looked_at is not None else {}),
    )
    rows = _rows(scorer, learned, stage.label_smoothing)
    try:
        return Trainer(
            model=scorer.model,
            args=TrainingArguments(**{**arguments, **settings.trainer}),
            train_dataset=rows,
            eval_dataset=None if looked_at is None else _rows(scorer, looked_at, 0.0),
            data_collator=DataCollatorWithPadding(scorer.reader.tokenizer),
            compute_loss_func=loss_of(output_names(settings), settings.hierarchy),
            callbacks=[] if looked_at is None else [EarlyStoppingCallback(stage.stop_after or 1)],
        )
    except (ImportError, RuntimeError, TypeError, ValueError) as reason:
        first = str(reason).strip().splitlines()[0]
        raise RecipeError(f"{settings.name!r} cannot be trained with its `trainer` and `launch`: {first}") from reason


def _keep(trainer: Any, scorer: LLMScorer, said: Floats, folder: Path) -> None:
    """Write the stage whole; all processes take part, for each may hold a share of the weights."""
    part = folder.with_name(folder.name + ".part")
    if trainer.is_world_process_zero():
        shutil.rmtree(part, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(part))
    if trainer.is_world_process_zero():
        (part / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody reads
        scorer.describe(part)
        write_json(part / PROBE, said.tolist())
        write_json(part / "losses.json", [each for each in trainer.state.log_history if "loss" in each])
        part.rename(folder)
    trainer.accelerator.wait_for_everyone()
