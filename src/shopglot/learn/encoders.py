"""Sentence encoders by name, and the vectors of texts that were computed before."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopglot.core.errors import BundleError
from shopglot.core.pretrained import named_where_it_fails
from shopglot.core.progress import tracked
from shopglot.core.scores import Encoder
from shopglot.learn.layers import keep_layers
from shopglot.learn.pretrained import EMBEDDED, resolve
from shopglot.learn.settings import UNIVERSAL
from shopglot.learn.torch_runs import has_bf16
from shopglot.learn.use import UniversalSentenceEncoder

_KEPT: Final = 200_000
_AT_ONCE: Final = 5_000


class SentenceEncoder:
    """A transformer whose last hidden states are averaged, as multilingual-e5 and most sentence encoders do."""

    def __init__(self, model: Any, prefix: str) -> None:
        """Take a sentence-transformers model, and what it wants to read before every text."""
        self.model, self.prefix = model, prefix

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions); in bfloat16 where the machine computes in it."""
        import torch

        prefixed = [self.prefix + text for text in texts]
        parts = [prefixed[start : start + _AT_ONCE] for start in range(0, len(prefixed), _AT_ONCE)]
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16()):
            vectors = [
                self.model.encode(part, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
                for part in tracked(parts, "sentence vectors", size=len(texts))
            ]
        return np.concatenate(vectors, dtype=np.float32)


class RememberingEncoder:
    """An encoder that computes a text once, as long as no more than `_KEPT` texts came since."""

    def __init__(self, encoder: Encoder) -> None:
        """Take the encoder that computes."""
        self.encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, dimensions)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if len(self._vectors) + len(new) > _KEPT:
            self._vectors.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._vectors.update(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


@cache
def frozen_encoder(model: str, prefix: str) -> RememberingEncoder:
    """Return the encoder of this name with its weights as they are published; one per process."""
    if model == UNIVERSAL:
        return RememberingEncoder(UniversalSentenceEncoder.load())
    return RememberingEncoder(SentenceEncoder(sentence_transformer(model), prefix))


@cache
def cut_encoder(model: str, prefix: str, layers: int) -> RememberingEncoder:
    """Return the same with so many of its layers."""
    return RememberingEncoder(SentenceEncoder(sentence_transformer(model, layers), prefix))


def save_trained(encoder: SentenceEncoder, path: Path) -> None:
    """Write the trained parameters of an encoder; the frozen ones are those of the model it started from."""
    from safetensors.torch import save_file

    trained = {name: value for name, value in encoder.model.named_parameters() if value.requires_grad}
    save_file({name: value.detach().contiguous() for name, value in trained.items()}, path)


def trained_encoder(model: str, prefix: str, path: Path, layers: int | None = None) -> SentenceEncoder:
    """Return the model of this name, cut to `layers`, with the trained parameters that `save_trained` wrote."""
    from safetensors.torch import load_file

    base = sentence_transformer(model, layers)
    trained = load_file(path)
    unknown = sorted(trained.keys() - dict(base.named_parameters()).keys())
    if unknown:
        raise BundleError(
            f"{path} holds {unknown[0]}, which {model!r} does not have; name the model it was trained from"
        )
    base.load_state_dict(trained, strict=False)
    for name, value in base.named_parameters():
        value.requires_grad_(name in trained)  # so that it is saved again as it was
    return SentenceEncoder(base, prefix)


def sentence_transformer(model: str, layers: int | None = None) -> Any:
    """Return a sentence-transformers model from an embedded, local or hub name, with all its layers or fewer.

    It is pooled by the mean unless it says otherwise.
    """
    from sentence_transformers import SentenceTransformer

    settings: dict[str, Any] = {"use_safetensors": True}
    if model.startswith(EMBEDDED):
        settings["add_pooling_layer"] = False  # its weights have none, and a mean needs none
    source = resolve(model)
    with named_where_it_fails(source):
        loaded = SentenceTransformer(source, trust_remote_code=False, model_kwargs=settings)
    if layers is not None:
        keep_layers(loaded, layers, model)
    return loaded
