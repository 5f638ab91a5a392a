"""A sentence encoder as a packed network that pools and normalises by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from shopglot.core.files import read_json, write_json
from shopglot.pack.network import Network

PACKED: Final = "packed:"
"""How a scorer names the encoder in its own bundle, where another name would be that of a model."""
_FACTS: Final = "encoder.json"
_VECTORS: Final = "known.safetensors"

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class SessionEncoder:
    """Texts to unit vectors; `prefix` is what the network wants to read before every text.

    The vectors of `known` texts, such as the names of all categories, are at hand: `vectors` has one row for each.
    """

    network: Network
    prefix: str
    known: dict[str, int]
    vectors: Vectors

    @classmethod
    def knowing(cls, network: Network, prefix: str, texts: Sequence[str]) -> Self:
        """Return the encoder that has computed the vectors of distinct `texts` already."""
        stored = network([prefix + text for text in texts]).astype(_stored(network))
        return cls(network, prefix, {text: row for row, text in enumerate(texts)}, stored.astype(np.float32))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (texts, dimensions)."""
        rows = np.array([self.known.get(text, -1) for text in texts], dtype=np.int64)
        new = [self.prefix + text for text, row in zip(texts, rows.tolist(), strict=True) if row < 0]
        if len(new) == len(texts):
            return self.network(new)
        vectors = self.vectors[rows]
        vectors[rows < 0] = self.network(new)
        return vectors

    def save(self, folder: Path) -> None:
        """Write the encoder into `folder`, which exists."""
        self.network.save(folder)
        save_file({"vectors": self.vectors.astype(_stored(self.network))}, folder / _VECTORS)
        write_json(folder / _FACTS, {"prefix": self.prefix, "known": list(self.known)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the encoder that `save` wrote."""
        facts, vectors = read_json(folder / _FACTS), load_file(folder / _VECTORS)["vectors"]
        known = {text: row for row, text in enumerate(facts["known"])}
        return cls(Network.load(folder), facts["prefix"], known, vectors.astype(np.float32))


def _stored(network: Network) -> type[np.floating[Any]]:
    """Return the type in which vectors are kept: half precision where the network rounds more than that itself."""
    return np.float32 if network.running.precision == "fp32" else np.float16
