"""A cross-encoder: one transformer reads query and target together, for both tasks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import polars as pl

from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.progress import tracked
from shopglot.core.scores import Scores
from shopglot.format.batches import by_length
from shopglot.format.template import Template
from shopglot.learn.pretrained import resolve
from shopglot.learn.settings import EncoderSettings
from shopglot.learn.store import read_scorer, write_scorer
from shopglot.learn.torch_runs import has_bf16, load_pretrained, train, training_arguments

TOKEN_BUDGET: Final = 4096
MARKERS: Final[dict[Task, str]] = {"QC": "category", "QI": "item"}
"""What stands before the query, so that one model knows which of the tasks it is asked."""


@dataclass(frozen=True, slots=True)
class EncoderLearner:
    """Fine-tunes a sequence classifier on pairs of query and target with the Hugging Face Trainer."""

    settings: EncoderSettings
    template: Template

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.settings.name

    def fit(self, train: Pairs, work: Path) -> "EncoderScorer":
        """Return the trained scorer; a killed run goes on from the last checkpoint in `work`."""
        from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed

        set_seed(self.settings.seed)
        source = resolve(self.settings.model)
        tokenizer = load_pretrained(AutoTokenizer, source)
        model = load_pretrained(
            AutoModelForSequenceClassification,
            source,
            use_safetensors=True,
            num_labels=1,
            problem_type="multi_label_classification",
        )
        if self.settings.freeze_embeddings:
            model.get_input_embeddings().weight.requires_grad_(False)
        scorer = EncoderScorer(model, tokenizer, self.template, self.settings.max_tokens)
        self._train(scorer, train, work)
        return scorer

    def _train(self, scorer: "EncoderScorer", pairs: Pairs, work: Path) -> None:
        from datasets import Dataset
        from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

        encoded = scorer.encode(pairs)
        rows = Dataset.from_dict(
            {
                **encoded,
                "labels": pairs.labels.astype(np.float32)[:, None].tolist(),
                "length": [len(ids) for ids in encoded["input_ids"]],
            }
        )
        settings = self.settings
        arguments = training_arguments(
            work,
            bf16=settings.bf16,
            max_steps=settings.steps,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            warmup_steps=int(settings.warmup * settings.steps),
            weight_decay=settings.weight_decay,
            lr_scheduler_type=settings.schedule,
            save_steps=settings.save_steps,
            train_sampling_strategy="group_by_length",
            seed=settings.seed,
        )
        train(
            Trainer(
                model=scorer.model,
                args=TrainingArguments(**arguments),
                train_dataset=rows,
                data_collator=DataCollatorWithPadding(scorer.tokenizer),
            ),
            work,
        )


@dataclass(frozen=True, eq=False, slots=True)
class EncoderScorer:
    """A sequence classifier with its tokenizer."""

    model: Any
    tokenizer: Any
    template: Template
    max_tokens: int

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; equal texts are computed once, in batches of like length."""
        import torch

        texts = self.texts(pairs)
        distinct = texts.unique(maintain_order=True).with_row_index("row")
        encoded = self._tokenize(distinct)
        lengths = np.array([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)
        scores = np.empty(distinct.height)
        self.model.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
            batches = list(by_length(lengths, budget=TOKEN_BUDGET))
            for rows in tracked(batches, "scoring pairs", size=distinct.height):
                batch = {name: [values[row] for row in rows] for name, values in encoded.items()}
                padded = self.tokenizer.pad(batch, return_tensors="pt").to(self.model.device)
                scores[rows] = self.model(**padded).logits[:, 0].float().sigmoid().cpu().numpy()
        positions = texts.join(distinct, on=texts.columns, how="left", maintain_order="left")["row"].to_numpy()
        return np.asarray(scores[positions])

    def texts(self, pairs: Pairs) -> pl.DataFrame:
        """Return what the model reads: the task's marker and the query, and the target."""
        marker = pairs["task"].cast(pl.String).replace_strict(dict(MARKERS))
        queries = marker + ": " + self.template.queries(pairs)
        return pl.DataFrame({"query": queries, "target": self.template.targets(pairs)})

    def encode(self, pairs: Pairs) -> dict[str, list[list[int]]]:
        """Return the token columns of each pair, not padded."""
        return self._tokenize(self.texts(pairs))

    def save(self, folder: Path) -> None:
        """Write the classifier as a transformers folder."""
        write_scorer(folder, kind="encoder", template=self.template, max_tokens=self.max_tokens)
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the scorer that `save` wrote."""
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        facts, template = read_scorer(folder)
        model = load_pretrained(AutoModelForSequenceClassification, str(folder), use_safetensors=True)
        tokenizer = load_pretrained(AutoTokenizer, str(folder))
        return cls(model, tokenizer, template, facts["max_tokens"])

    def _tokenize(self, texts: pl.DataFrame) -> dict[str, list[list[int]]]:
        if not texts.height:
            return {"input_ids": []}
        encoded = self.tokenizer(
            texts["query"].to_list(),
            texts["target"].to_list(),
            truncation="longest_first",
            max_length=self.max_tokens,
        )
        return dict(encoded)
