"""A cross-encoder: one transformer reads query and target together, for both tasks."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from shopglot.core.log_odds import sigmoid
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.pretrained import load_pretrained
from shopglot.core.scores import Scores
from shopglot.format.template import Template
from shopglot.learn.layers import keep_layers
from shopglot.learn.margins import coupled_loss, coupled_rows, couples_of, side_by_side
from shopglot.learn.pretrained import CHECKED, check_weights, read_classifier, read_tokenizer, resolve
from shopglot.learn.reading import encode_pairs, text_pairs
from shopglot.learn.settings import EncoderSettings
from shopglot.learn.store import read_scorer, write_scorer
from shopglot.learn.targets import loss_of
from shopglot.learn.torch_runs import (
    BY_LENGTH_WITHIN_STEPS,
    for_each_distinct,
    has_bf16,
    logits,
    train,
    training_arguments,
    training_rows,
)


@dataclass(frozen=True, slots=True)
class EncoderLearner:
    """Fine-tunes a sequence classifier on pairs of query and target with the Hugging Face Trainer.

    `margin` is the share of the loss that is margin-MSE, for probabilities as `fit_to` takes them.
    """

    settings: EncoderSettings
    template: Template
    margin: float = 0.0

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.settings.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.settings.tasks

    def fit(self, train: Pairs, work: Path) -> "EncoderScorer":
        """Return the trained scorer; a killed run goes on from the last checkpoint in `work`."""
        return self.fit_to(train, train.labels.astype(np.float64), work)

    def fit_to(self, train: Pairs, wanted: Scores, work: Path) -> "EncoderScorer":
        """Return the scorer trained to say of each pair what is `wanted`, P(relevant) of shape (pairs,)."""
        from transformers import set_seed

        set_seed(self.settings.seed)
        source = resolve(self.settings.model)
        tokenizer = read_tokenizer(source)
        model, _ = read_classifier(source, num_labels=1, problem_type="multi_label_classification")
        if self.settings.layers is not None:
            keep_layers(model, self.settings.layers, self.settings.model)
        if self.settings.freeze_embeddings:
            model.get_input_embeddings().weight.requires_grad_(False)
        scorer = EncoderScorer(model, tokenizer, self.template, self.settings.max_tokens)
        self._train(scorer, train, wanted, work)
        return scorer

    def _train(self, scorer: "EncoderScorer", pairs: Pairs, wanted: Scores, work: Path) -> None:
        from transformers import Trainer, TrainingArguments

        settings = self.settings
        rows = pairs.frame.select(pl.int_range(pl.len())).sample(fraction=1.0, shuffle=True, seed=settings.seed)
        order = rows.to_series().to_numpy()
        how = self._lessons(scorer, Pairs(pairs.frame[order]), wanted[order])
        arguments = training_arguments(
            work,
            bf16=settings.bf16,
            max_steps=settings.steps,
            per_device_train_batch_size=max(1, settings.batch_size // (2 if self.margin else 1)),  # a row holds two
            gradient_accumulation_steps=settings.accumulation,
            train_sampling_strategy=BY_LENGTH_WITHIN_STEPS,
            learning_rate=settings.learning_rate,
            warmup_steps=int(settings.warmup * settings.steps),
            weight_decay=settings.weight_decay,
            lr_scheduler_type=settings.schedule,
            save_steps=settings.save_steps,
            label_names=["labels"],
            seed=settings.seed,
        )
        train(
            Trainer(
                model=scorer.model,
                args=TrainingArguments(**arguments),
                **how,
            ),
            work,
        )

    def _lessons(self, scorer: "EncoderScorer", pairs: Pairs, wanted: Scores) -> dict[str, Any]:
        """Return what the Trainer is told of the rows, how they become batches, and the loss."""
        from transformers import DataCollatorWithPadding

        padded = DataCollatorWithPadding(scorer.tokenizer)
        if not self.margin:
            return {
                "train_dataset": training_rows(scorer.encode(pairs), wanted[:, None]),
                "data_collator": padded,
                "compute_loss_func": loss_of(("relevant",), None),
            }
        couples = couples_of(pairs, self.settings.seed)
        return {
            "train_dataset": coupled_rows(scorer.encode(pairs), wanted, couples),
            "data_collator": partial(side_by_side, pad=padded),
            "compute_loss_func": partial(coupled_loss, margin=self.margin),
        }


@dataclass(frozen=True, eq=False, slots=True)
class EncoderScorer:
    """A sequence classifier with its tokenizer."""

    model: Any
    tokenizer: Any
    template: Template
    max_tokens: int

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; equal texts are computed once, in batches of like length."""
        return for_each_distinct(self.texts(pairs), self._probabilities)

    def texts(self, pairs: Pairs) -> pl.DataFrame:
        """Return what the model reads: the task's marker and the query, and the target."""
        return text_pairs(pairs, self.template)

    def encode(self, pairs: Pairs) -> dict[str, list[list[int]]]:
        """Return the token columns of each pair, not padded."""
        return encode_pairs(self.tokenizer, self.texts(pairs), self.max_tokens)

    def save(self, folder: Path) -> None:
        """Write the classifier as a transformers folder."""
        write_scorer(folder, kind="encoder", template=self.template, max_tokens=self.max_tokens)
        self.model.save_pretrained(folder)
        self.tokenizer("")  # forgets where the last call cut, which would be written as the tokenizer's own settings
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the scorer that `save` wrote."""
        from transformers import AutoModelForSequenceClassification

        facts, template = read_scorer(folder)
        model, found = load_pretrained(AutoModelForSequenceClassification, str(folder), **CHECKED)
        check_weights(found["missing_keys"], str(folder))
        tokenizer = read_tokenizer(str(folder))
        return cls(model, tokenizer, template, facts["max_tokens"])

    def _probabilities(self, texts: pl.DataFrame) -> Scores:
        encoded = encode_pairs(self.tokenizer, texts, self.max_tokens)
        return sigmoid(logits(self.model, self.tokenizer, encoded, autocast=has_bf16())[:, 0])
