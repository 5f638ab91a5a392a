"""Texts become padded token ids by the `tokenizers` library alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from shopglot.core.files import whole_file

Feed = Mapping[str, NDArray[np.int64]]
"""The inputs of a model by name, each of shape (rows, tokens)."""

TOKENIZER: Final = "tokenizer.json"
INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")


class Tokens:
    """A tokenizer with a limit: texts and pairs of texts become the arrays that a model takes in."""

    def __init__(self, tokenizer: str, *, max_tokens: int, pad: int, inputs: Sequence[str] = INPUTS[:2]) -> None:
        """Take a tokenizer as JSON, how many tokens it may give, the id of the padding, and which inputs are wanted."""
        from tokenizers import Tokenizer

        self.tokenizer, self.max_tokens, self.pad, self.inputs = tokenizer, max_tokens, pad, tuple(inputs)
        self._reader = Tokenizer.from_str(tokenizer)
        self._reader.no_padding()
        self._reader.enable_truncation(max_tokens, strategy="longest_first")

    def encode(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> list[Any]:
        """Return what the library says of each text or pair of texts; too long a one is cut, the longer text first."""
        encoded: list[Any] = self._reader.encode_batch(texts)
        return encoded

    def feed(self, encoded: Sequence[Any], *, multiple: tuple[int, int] = (1, 1)) -> Feed:
        """Return these texts as one batch, padded to the longest of them.

        Rows and tokens are padded up to these multiples, so that few shapes occur; rows that were added hold one token.
        """
        longest = max(1, *(len(each.ids) for each in encoded))
        shape = tuple(-(-size // step) * step for size, step in zip((len(encoded), longest), multiple, strict=True))
        ids, mask, types = np.full(shape, self.pad, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        mask[:, 0] = 1
        for row, each in enumerate(encoded):
            ids[row, : len(each.ids)], mask[row, : len(each.ids)] = each.ids, 1
            types[row, : len(each.ids)] = each.type_ids
        return {name: array for name, array in zip(INPUTS, (ids, mask, types), strict=True) if name in self.inputs}

    def save(self, folder: Path) -> None:
        """Write the tokenizer; the rest is written by whoever holds it."""
        with whole_file(folder / TOKENIZER) as part:
            part.write_text(self.tokenizer, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, facts: Mapping[str, Any]) -> Self:
        """Return the tokens whose `facts` were written beside the tokenizer in `folder`."""
        return cls((folder / TOKENIZER).read_text(encoding="utf-8"), **facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What `load` needs beside the tokenizer."""
        return {"max_tokens": self.max_tokens, "pad": self.pad, "inputs": list(self.inputs)}
