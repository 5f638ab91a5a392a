"""Which scorer a folder of a bundle holds, packed ones among them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shopglot.core.files import read_json
from shopglot.core.scores import SavableScorer
from shopglot.learn.embedding import EmbeddingScorer
from shopglot.learn.encoders import RememberingEncoder
from shopglot.learn.load import SCORERS
from shopglot.pack.session_encoder import PACKED, SessionEncoder
from shopglot.pack.session_scorer import KIND, SessionScorer

ENCODERS: Final = "encoders"
"""The folder of a bundle where each packed sentence encoder stands once, whoever of its members uses it."""


def loaders(bundle: Path) -> Mapping[str, Callable[[Path], SavableScorer]]:
    """Return what reads each kind of scorer in `bundle`; members that share an encoder share its vectors too."""
    opened: dict[str, RememberingEncoder] = {}

    def embedding(folder: Path) -> EmbeddingScorer:
        settings = read_json(folder / "scorer.json")["settings"]
        name = str(settings["model"])
        if not name.startswith(PACKED):
            return EmbeddingScorer.load(folder)
        if name not in opened:
            encoder = SessionEncoder.load(bundle / ENCODERS / name.removeprefix(PACKED))
            opened[name] = RememberingEncoder(encoder)
        return EmbeddingScorer.load(folder, opened[name])

    return {**SCORERS, KIND: SessionScorer.load, "embedding": embedding}
