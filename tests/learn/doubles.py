"""Hand-written encoders, learners and scorers."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shopglot.core.files import read_json, write_json
from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores


@dataclass(frozen=True, eq=False, slots=True)
class ByLetters:
    """Gives every text a random direction of its own, drawn by the text; keeps what it was asked."""

    dimensions: int = 6
    asked: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.extend(texts)
        drawn = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=self.dimensions) for text in texts]
        vectors = np.array(drawn).reshape(len(texts), self.dimensions)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, eq=False, slots=True)
class Constant:
    """Answers the share of relevant pairs it was trained on."""

    share: float

    def score(self, pairs: Pairs) -> Scores:
        return np.full(len(pairs), self.share)

    def save(self, folder: Path) -> None:
        write_json(folder / "scorer.json", {"kind": "constant", "share": self.share})


def load_constant(folder: Path) -> Constant:
    return Constant(read_json(folder / "scorer.json")["share"])


class Killed(Exception):
    """Stands for the end of the process."""


@dataclass(frozen=True, eq=False, slots=True)
class Counting:
    """Learns the share of relevant pairs; keeps the ids of each fit, and is killed in those of `deadly`."""

    name: str = "counting"
    tasks: tuple[Task, ...] = TASKS
    deadly: tuple[int, ...] = ()
    fits: list[set[str]] = field(default_factory=list)

    def fit(self, train: Pairs, work: Path) -> Constant:
        self.fits.append(set(train["id"]))
        write_json(work / "checkpoint.json", len(self.fits))
        if len(self.fits) - 1 in self.deadly:
            raise Killed
        return Constant(float(train.labels.mean()))
