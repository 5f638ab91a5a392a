"""A fine-tuned language model as a scorer."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from pydantic import ValidationError

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import read_json, whole_folder, write_json
from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.format.template import Template
from shopglot.learn.classifier import load_tokenizer, new_classifier, saved_classifier
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.prefix_tree import is_causal, logits_by_tree
from shopglot.learn.pretrained import resolve
from shopglot.learn.reading import Reader
from shopglot.learn.store import read_scorer, write_scorer
from shopglot.learn.targets import output_names, output_of
from shopglot.learn.torch_runs import for_each_distinct, logits


@dataclass(frozen=True, eq=False, slots=True)
class LLMScorer:
    """A model with a classification head, and how it reads pairs."""

    model: Any
    reader: Reader

    @property
    def settings(self) -> LLMSettings:
        """The recipe it was made by."""
        return self.reader.settings

    @classmethod
    def new(cls, settings: LLMSettings, template: Template) -> Self:
        """Return the pretrained model with a new head and new adapters."""
        tokenizer = load_tokenizer(settings, resolve(settings.model))
        return cls(new_classifier(settings, tokenizer), Reader(tokenizer, template, settings))

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row by the output of its task; equal texts are computed once."""
        outputs, answers = output_names(self.settings), np.empty(len(pairs))
        for task in pairs.tasks:
            rows = (pairs["task"] == task).to_numpy()
            texts = self.reader.texts(pairs.filter(rows))
            answers[rows] = sigmoid(for_each_distinct(texts, self.logits)[:, output_of(outputs, task)])
        return answers

    def logits(self, texts: pl.DataFrame) -> Floats:
        """Return what each output says of `texts`, shape (texts, outputs); texts that begin alike share it."""
        encoded = self.reader.encode(texts)
        if self.settings.text == "prompt" and is_causal(self.model):
            return logits_by_tree(self.model, encoded["input_ids"])
        return logits(self.model, self.reader.tokenizer, encoded, autocast=False)

    def save(self, folder: Path) -> None:
        """Write the trained weights: the adapters and the head, or the whole model where all of it was trained."""
        self.model.save_pretrained(folder)
        self.describe(folder)

    def describe(self, folder: Path) -> None:
        """Write what is needed beside the weights: the tokenizer and the settings."""
        (folder / "README.md").unlink(missing_ok=True)  # peft's form, which nobody has filled in
        if (adapter := folder / "adapter_config.json").is_file():  # names the model, not its folder on this machine
            write_json(adapter, {**read_json(adapter), "base_model_name_or_path": self.settings.model})
        self.reader.tokenizer.save_pretrained(folder)
        write_scorer(folder, kind="llm", template=self.reader.template, settings=self.settings.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path, *, trained: bool = False) -> Self:
        """Return the scorer that `save` wrote; one that is to be `trained` further keeps its weights in float32."""
        facts, template = read_scorer(folder)
        try:
            settings = LLMSettings(**facts["settings"])
        except (ValidationError, KeyError) as reason:
            raise BundleError(f"{folder / 'scorer.json'} holds no settings of this version; train again") from reason
        tokenizer = load_tokenizer(settings, str(folder))
        return cls(
            saved_classifier(settings, tokenizer, folder, trained=trained), Reader(tokenizer, template, settings)
        )


def merge_adapters(folder: Path, out: Path) -> None:
    """Write the fine-tuned model in `folder` as one without adapters, which is a transformers folder like any other.

    Its scores are those of `folder` but for the rounding of the recipe's type. It can be the `model` of another
    recipe, which then starts where this one ended.
    """
    scorer = LLMScorer.load(folder)
    if scorer.settings.lora is None:
        raise RecipeError(f"{folder} has no adapters to merge; all of its weights were trained, so use it as it is")
    with whole_folder(out) as part:
        without_adapters(scorer).save(part)


def without_adapters(scorer: LLMScorer) -> LLMScorer:
    """Return the scorer with its adapters merged into the weights, or itself where it has none.

    The adapters of `scorer` are used up: it cannot be saved or scored with afterwards.
    """
    if scorer.settings.lora is None:
        return scorer
    settings = scorer.settings.model_copy(update={"lora": None})
    return LLMScorer(scorer.model.merge_and_unload(), replace(scorer.reader, settings=settings))
