"""A sentence encoder as a packed network that pools and normalises by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.files import read_json, write_json
from shopglot.pack.network import Network

PACKED: Final = "packed:"
"""How a scorer names the encoder in its own bundle, where another name would be that of a model."""
_FACTS: Final = "encoder.json"


@dataclass(frozen=True, eq=False, slots=True)
class SessionEncoder:
    """Texts to unit vectors; `prefix` is what the network wants to read before every text."""

    network: Network
    prefix: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions)."""
        return self.network([self.prefix + text for text in texts])

    def save(self, folder: Path) -> None:
        """Write the encoder into `folder`, which exists."""
        self.network.save(folder)
        write_json(folder / _FACTS, {"prefix": self.prefix})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the encoder that `save` wrote."""
        return cls(Network.load(folder), read_json(folder / _FACTS)["prefix"])
