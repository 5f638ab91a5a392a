import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shopglot.core.errors import BundleError
from shopglot.learn.e5s1 import MAGIC, read_e5s1

SIZES = {"hidden": 32, "layers": 1, "heads": 2, "feed_forward": 64, "vocabulary": 6, "positions": 9, "types": 2}
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁tea", -1.5), ("茶", -2.25)]
Tensors = Mapping[str, NDArray[np.float32]]


def tensors() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    wide, hidden = SIZES["feed_forward"], SIZES["hidden"]
    shapes: dict[str, tuple[int, ...]] = {"emb.word": (6, 32), "emb.pos": (9, 32), "emb.type": (2, 32)}
    shapes |= {f"emb.ln.{part}": (hidden,) for part in "wb"}
    for name, rows, columns in [*((n, hidden, hidden) for n in ("q", "k", "v", "ao")), ("fi", wide, hidden)]:
        shapes |= {f"l0.{name}.w": (rows, columns), f"l0.{name}.b": (rows,)}
    shapes |= {"l0.fo.w": (hidden, wide), "l0.fo.b": (hidden,)}
    shapes |= {f"l0.{norm}.{part}": (hidden,) for norm in ("aln", "oln") for part in "wb"}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def q4_0(dense: NDArray[np.float32]) -> bytes:
    """Return blocks of 32 weights: a float16 scale, then 16 bytes with two weights each."""
    blocks = []
    for block in dense.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        levels = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        blocks.append(scale.tobytes() + (levels[:16] | levels[16:] << 4).tobytes())
    return b"".join(blocks)


def packed(name: str, values: NDArray[np.float32]) -> bool:
    return name == "emb.word" or (name.endswith(".w") and values.ndim == 2)


def write_e5s1(path: Path, dense: Tensors, *, magic: bytes = MAGIC, block: int = 32) -> Path:
    """Write such a file by its description, word embeddings and matrices in Q4_0."""
    texts = [text.encode() for text, _ in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = magic + struct.pack("<i7ifi", 1, *SIZES.values(), 1e-12, block)
    vocabulary = struct.pack("<i4iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1])) + offsets.tobytes()
    vocabulary += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(texts)
    normalisation = struct.pack("<iI", 1, 0) + struct.pack("<IB", ord("Ａ"), 1) + struct.pack("<I", ord("A"))
    data = {name: q4_0(values) if packed(name, values) else values.tobytes() for name, values in dense.items()}
    directory = struct.pack("<i", len(data))
    size = sum(2 + len(name.encode()) + struct.calcsize("<BIQQ") for name in data) + len(directory)
    at = len(head) + len(vocabulary) + len(normalisation) + size
    for name, raw in data.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, at, len(raw))
        at += len(raw)
    path.write_bytes(head + vocabulary + normalisation + directory + b"".join(data.values()))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    dense = tensors()
    found = read_e5s1(write_e5s1(tmp_path / "model.bin", dense))
    assert found.sizes == SIZES
    assert found.epsilon == pytest.approx(1e-12)
    assert found.special == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert found.pieces == tuple(PIECES)
    assert found.tensors.keys() == dense.keys()
    for name, values in dense.items():
        rounding = np.abs(values).max() / 7 * 0.52 if packed(name, values) else 0.0
        np.testing.assert_allclose(found.tensors[name], values, atol=rounding, rtol=0, err_msg=name)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not start with E5S1"):
        read_e5s1(write_e5s1(tmp_path / "model.bin", tensors(), magic=b"GGUF"))
    with pytest.raises(BundleError, match="has blocks of 64 weights"):
        read_e5s1(write_e5s1(tmp_path / "model.bin", tensors(), block=64))


def test_a_file_without_a_tensor_is_refused_by_its_name(tmp_path: Path) -> None:
    dense = tensors()
    del dense["l0.fi.w"]
    with pytest.raises(BundleError, match=r"lacks 1 tensors, l0\.fi\.w first"):
        read_e5s1(write_e5s1(tmp_path / "model.bin", dense))


@pytest.mark.parametrize("kept", [0.0, 0.0001, 0.001, 0.003, 0.005, 0.007, 0.02, 0.03, 0.04, 0.06, 0.5, 0.99, 0.99999])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, kept: float) -> None:
    whole = write_e5s1(tmp_path / "model.bin", tensors()).read_bytes()
    cut = tmp_path / "cut.bin"
    cut.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(BundleError):
        read_e5s1(cut)
