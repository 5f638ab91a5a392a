"""A packed network: a folder with an ONNX file and a tokenizer, and the engine session that runs it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfile
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.batches import by_length
from shopglot.core.files import read_json, write_json
from shopglot.core.progress import tracked
from shopglot.pack.engines import Floats, Running, Session, cores, open_session
from shopglot.pack.tokens import TOKENIZER, Tokens

MODEL: Final = "model.onnx"
FACTS: Final = "network.json"
TOKENS_AT_ONCE: Final = 1536
"""Tokens per batch, padding included: the activations of a small model then stay in the caches of a core."""
_FEW_SHAPES: Final = (4, 8)
"""What rows and tokens of batches that are not full are padded up to, for OpenVINO takes 20 ms and some memory to
prepare for a new shape."""

Texts = Sequence[str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """Texts or pairs of texts to the numbers of the model's only output."""

    folder: Path
    tokens: Tokens
    running: Running
    session: Session

    def __call__(self, texts: Texts) -> Floats:
        """Return the output for each of `texts`, shape (texts, outputs), in batches of like length on all cores."""
        if not texts:
            return np.zeros((0, 1), np.float32)
        encoded, workers = self.tokens.encode(texts), cores()
        lengths = np.array([len(each.ids) for each in encoded], dtype=np.int64)
        batches = cut(lengths, workers)

        def answer(rows: NDArray[np.int64]) -> Floats:
            # A batch that is full has one shape for each length; one that is not could have any.
            full = (len(rows) + 1) * lengths[rows].max() > TOKENS_AT_ONCE
            multiple = (1, 1) if full else _FEW_SHAPES
            feed = self.tokens.feed([encoded[row] for row in rows], multiple=multiple)
            return self.session.infer(feed)[: len(rows)]

        with ThreadPoolExecutor(workers) as threads:
            shown = tracked(batches, "running the network", size=len(texts))
            answers = [said for _, said in zip(shown, threads.map(answer, batches), strict=True)]
        said = np.empty((len(texts), answers[0].shape[1]), np.float32)
        said[np.concatenate(batches)] = np.concatenate(answers)
        return said

    def save(self, folder: Path) -> None:
        """Copy the files into `folder`, which exists."""
        for name in (MODEL, TOKENIZER, FACTS):
            copyfile(self.folder / name, folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the network in `folder`; raises BundleError where no engine can run it."""
        facts = read_json(folder / FACTS)
        running = Running(**facts["running"])
        return cls(folder, Tokens.load(folder, facts["tokens"]), running, open_session(folder / MODEL, running))


def write_facts(folder: Path, tokens: Tokens, running: Running) -> None:
    """Write the tokenizer and the facts of a network beside its ONNX file."""
    tokens.save(folder)
    write_json(folder / FACTS, {"running": asdict(running), "tokens": tokens.facts})


def cut(lengths: NDArray[np.int64], workers: int) -> list[NDArray[np.int64]]:
    """Return batches of rows of like length, at least one for each worker where there are so many rows.

    >>> [batch.tolist() for batch in cut(np.array([5, 9, 5, 9]), 2)]
    [[1], [3], [0, 2]]
    """
    share = -(-int(lengths.sum()) // workers)
    return list(by_length(lengths, budget=min(TOKENS_AT_ONCE, share)))
