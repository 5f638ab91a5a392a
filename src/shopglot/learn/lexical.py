"""The floor: what the letters that query and target share say about relevance."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.format.template import Template
from shopglot.learn.head import Features, Head, fit_logistic, require_heads
from shopglot.learn.settings import LexicalSettings
from shopglot.learn.store import read_scorer, write_scorer

NGRAM_SIZES: Final = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class LexicalLearner:
    """One logistic regression per task on the overlap of words and character n-grams."""

    settings: LexicalSettings
    template: Template

    @property
    def name(self) -> str:
        """The name its scores are kept under."""
        return self.settings.name

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks it scores."""
        return self.settings.tasks

    def fit(self, train: Pairs, work: Path) -> "LexicalScorer":
        """Return the scorer; it is fitted in seconds, so `work` stays empty."""
        heads: dict[Task, Head] = {}
        for task in train.tasks:
            own = train.of_task(task)
            heads[task] = fit_logistic(overlap_features(own, self.template), own.labels, own["weight"].to_numpy())
        return LexicalScorer(heads, self.template)


@dataclass(frozen=True, eq=False, slots=True)
class LexicalScorer:
    """Overlap features and a logistic regression for each task."""

    heads: dict[Task, Head]
    template: Template

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; raises DataError for a task it was not trained on."""
        require_heads(self.heads, pairs)
        scores = np.empty(len(pairs))
        for task in pairs.tasks:
            rows = np.asarray(pairs["task"] == task)
            scores[rows] = self.heads[task](overlap_features(pairs.filter(rows), self.template))
        return scores

    def save(self, folder: Path) -> None:
        """Write one head per task and the template."""
        write_scorer(folder, kind="lexical", template=self.template)
        for task, head in self.heads.items():
            head.save(folder / f"{task}.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the scorer that `save` wrote."""
        _, template = read_scorer(folder)
        files = {task: folder / f"{task}.safetensors" for task in TASKS}
        return cls({task: Head.load(path) for task, path in files.items() if path.exists()}, template)


def overlap_features(pairs: Pairs, template: Template) -> Features:
    """Return what query and target share, shape (rows, features): n-grams, words, the leaf's n-grams, lengths."""
    query, target = template.queries(pairs), template.targets(pairs)
    names = target.to_frame("target").select(levels=levels(pl.col("target")))
    leaf = names.select(pl.col("levels").list.last()).to_series()
    shared = [
        overlap(query, text, partial(ngrams, size=size)).to_numpy() for text in (target, leaf) for size in NGRAM_SIZES
    ]
    depth = names.select(pl.col("levels").list.len()).to_series()
    lengths = [query.str.len_chars().log1p(), target.str.len_chars().log1p(), depth.cast(pl.Float64)]
    return np.column_stack([*shared, overlap(query, target, words).to_numpy(), *lengths]).astype(np.float32)
