"""A cross-encoder as template and packed network: it needs neither torch nor transformers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl

from shopglot.core.log_odds import sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.format.template import Template
from shopglot.learn.reading import text_pairs
from shopglot.learn.store import read_scorer, write_scorer
from shopglot.learn.torch_runs import for_each_distinct
from shopglot.pack.network import Network

KIND: Final = "session"


@dataclass(frozen=True, eq=False, slots=True)
class SessionScorer:
    """A packed cross-encoder; `outputs` says which number of the network answers for each task."""

    network: Network
    template: Template
    outputs: Mapping[Task, int]

    def score(self, pairs: Pairs) -> Scores:
        """Return P(relevant) per row; equal texts are computed once."""
        said, answers = for_each_distinct(text_pairs(pairs, self.template), self._logits), np.empty(len(pairs))
        for task in pairs.tasks:
            rows = (pairs["task"] == task).to_numpy()
            answers[rows] = sigmoid(said[rows, self.outputs[task]])
        return answers

    def save(self, folder: Path) -> None:
        """Write the template and the network."""
        write_scorer(folder, kind=KIND, template=self.template, outputs=dict(self.outputs))
        self.network.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the scorer that `save` wrote."""
        facts, template = read_scorer(folder)
        return cls(Network.load(folder), template, facts["outputs"])

    def _logits(self, texts: pl.DataFrame) -> Floats:
        return self.network(texts.select("query", "target").rows()).astype(np.float64)
