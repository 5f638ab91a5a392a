"""A packed cross-encoder beside sentence-transformers: `python -m benchmarks.pack_speed [PAIRS [PEER [PRECISION …]]]`.

All sides score the same distinct pairs of the public Shopify files with the same trained weights
(`benchmarks/cross_encoder.py`). The peer is `CrossEncoder.predict` in torch float32, and with its own OpenVINO backend.
That needs optimum-intel, which does not install beside this project: PEER is the Python of an environment that has it.
Without one, the same exported model runs as that backend runs it: batches of like length, OpenVINO's defaults, one
batch after the other. Of three batch sizes the peer's best counts. The ceiling is this machine's int8 matrix product.

Prints one JSON line per side; `share` is the part of the ceiling that a side reaches.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from time import perf_counter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.cross_encoder import KEPT, cross_encoder, parts
from shopglot.core.log_odds import sigmoid
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.learn.encoder import EncoderScorer
from shopglot.merge.chain import redecide
from shopglot.merge.settings import MergeSettings
from shopglot.pack.bundle import Bundle
from shopglot.pack.convert import Packer
from shopglot.pack.engines import Precision, cores, without_telemetry
from shopglot.pack.network import MODEL
from shopglot.pack.parity import Parity
from shopglot.pack.session_scorer import SessionScorer
from shopglot.pack.settings import PackSettings
from shopglot.pack.tokens import Tokens

PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
HINTS: Mapping[Precision, str] = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}
"""What is not in int8 is in bfloat16 on both sides."""
BATCH_SIZES = (32, 64, 128)
TRIED = 500
"""Pairs that warm every side up, and by which the peer's batch sizes are compared."""

Texts = Sequence[tuple[str, str]]
Logits = NDArray[np.float32]
Predict = Callable[[Texts, int], Logits]


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """The pairs that all sides score, the floating-point operations in them, and the ceiling per second."""

    pairs: Pairs
    texts: Texts
    operations: float
    ceiling: float

    def say(self, side: str, seconds: float, **facts: Any) -> None:
        """Print the speed of a side and the share of the ceiling that it reaches."""
        speed = {
            "pairs_per_second": round(len(self.texts) / seconds, 1),
            "share": round(self.operations / seconds / self.ceiling, 3),
        }
        print(json.dumps({"benchmark": "pack_speed", "side": side, **speed, **facts}), flush=True)


def main(count: int, peer: str | None, precisions: Sequence[Precision]) -> None:
    """Score the same pairs with every side and print what each reaches."""
    bundle, dealt = cross_encoder(), parts()
    scorer = cast("EncoderScorer", bundle.scorer)
    judged = Pairs(dealt.judged.frame.head(count))
    texts = scorer.texts(judged).select("query", "target").rows()
    lengths = np.array([len(ids) for ids in scorer.encode(judged)["input_ids"]])
    work = Work(judged, texts, float(operations(scorer.model.config, lengths).sum()), int8_ceiling())
    composition = {name: judged[name].n_unique() for name in ("query", "target", "language")}
    facts = {"pairs": len(judged), **composition, "mean_tokens": round(float(lengths.mean()), 1), "cores": cores()}
    print(json.dumps({"benchmark": "pack_speed", **facts, "int8_gflops": round(work.ceiling / 1e9, 1)}), flush=True)

    exact, seconds, size = best(torch_predict(scorer), texts)
    work.say("CrossEncoder.predict, torch float32", seconds, batch_size=size)
    exact_scores = probabilities(exact)
    before = replace(bundle, scorer=Given(exact_scores)).score_clean(judged)
    with tempfile.TemporaryDirectory() as folder:
        for precision in precisions:
            own = packed(bundle, precision, Path(folder) / precision)
            own.scorer.score(Pairs(judged.frame.head(TRIED)))
            start = perf_counter()
            decided = own.score_clean(judged)
            seconds = perf_counter() - start
            parity = Parity.of(judged, before, decided)
            work.say(f"packed, {precision}", seconds, **parity.facts, megabytes=megabytes(own))
            logits, seconds, size = best(plain_openvino(own), texts) if peer is None else backend(peer, own, texts)
            name = "what the OpenVINO backend does" if peer is None else "CrossEncoder.predict, OpenVINO"
            off = float(
                np.abs(sigmoid(logits[:, 0].astype(np.float64)) - sigmoid(exact[:, 0].astype(np.float64))).max()
            )
            work.say(f"{name}, {precision}", seconds, batch_size=size, largest=round(off, 4))


@dataclass(frozen=True, eq=False, slots=True)
class Given:
    """A scorer that has scored already."""

    scores: Scores

    def score(self, pairs: Pairs) -> Scores:
        """Return the scores it was given."""
        return self.scores

    def save(self, folder: Path) -> None:
        """Write nothing."""


def probabilities(logits: Logits) -> Scores:
    """Return the scores of the only output."""
    return sigmoid(logits[:, 0].astype(np.float64))


def best(predict: Predict, texts: Texts) -> tuple[Logits, float, int]:
    """Return the logits of `texts`, the seconds they took, and the batch size that was fastest on the first of them."""
    sample = texts[:TRIED]
    predict(sample, BATCH_SIZES[0])
    tried = {}
    for size in BATCH_SIZES:
        start = perf_counter()
        predict(sample, size)
        tried[size] = perf_counter() - start
    size = min(tried, key=lambda each: tried[each])
    start = perf_counter()
    logits = predict(texts, size)
    return logits, perf_counter() - start, size


def packed(bundle: Bundle, precision: Precision, folder: Path) -> Bundle:
    """Return the bundle as `shopglot pack` makes it: trimmed for all its pairs, and calibrated on tune by itself."""
    folder.mkdir()
    dealt = parts()
    known = Pairs.concat([dealt.train, dealt.tune, dealt.judged])
    scorer = Packer(known, PackSettings(precision=precision), folder).packed(bundle.scorer)
    rates: dict[Task, float] = {"QC": float(dealt.train.labels.mean())}
    return replace(
        bundle, scorer=scorer, decision=redecide(dealt.tune, scorer.score(dealt.tune), MergeSettings(), rates)
    )


def megabytes(bundle: Bundle) -> float:
    """Return the size of the one network of a bundle on disk."""
    folder = cast("SessionScorer", bundle.scorer).network.folder
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1)


def torch_predict(scorer: EncoderScorer) -> Predict:
    """Return `CrossEncoder.predict` in torch float32, before its activation."""
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(KEPT / "scorer"), max_length=scorer.max_tokens, device="cpu")

    def predict(texts: Texts, size: int) -> Logits:
        logits = model.predict(list(texts), batch_size=size, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return np.asarray(logits, dtype=np.float32).reshape(len(texts), -1)

    return predict


def plain_openvino(bundle: Bundle) -> Predict:
    """Return what the peer's OpenVINO backend does, on the ONNX file of a packed bundle."""
    without_telemetry()
    import openvino

    network = cast("SessionScorer", bundle.scorer).network
    hint = HINTS[network.running.precision]
    compiled = openvino.Core().compile_model(str(network.folder / MODEL), "CPU", {"INFERENCE_PRECISION_HINT": hint})
    request = compiled.create_infer_request()
    tokens: Tokens = network.tokens

    def predict(texts: Texts, size: int) -> Logits:
        order = np.argsort([-len(query) - len(target) for query, target in texts], kind="stable")
        logits = np.empty((len(texts), 1), np.float32)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            feed = tokens.feed(tokens.encode([texts[row] for row in rows]))
            logits[rows] = request.infer(dict(feed))[0]
        return logits

    return predict


def backend(python: str, bundle: Bundle, texts: Texts) -> tuple[Logits, float, int]:
    """Return the logits, seconds and batch size of `CrossEncoder.predict` with OpenVINO in another environment.

    It reads the same ONNX file, converted to OpenVINO's own format, and the same tokenizer.
    """
    without_telemetry()
    import openvino

    network = cast("SessionScorer", bundle.scorer).network
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = openvino.Core().read_model(str(network.folder / MODEL))
        model.outputs[0].get_tensor().set_names({"logits"})
        openvino.save_model(model, str(folder / "openvino_model.xml"), compress_to_fp16=False)
        for file in ("config.json", "tokenizer_config.json"):
            copyfile(KEPT / "scorer" / file, folder / file)
        network.tokens.save(folder)
        (folder / "texts.json").write_text(json.dumps(texts))
        script = str(Path(__file__).with_name("peer_openvino.py"))
        sizes, hint = ",".join(map(str, BATCH_SIZES)), HINTS[network.running.precision]
        arguments = [str(folder), str(folder / "texts.json"), hint, sizes, str(TRIED), str(folder / "logits.npy")]
        done = subprocess.run([python, script, *arguments], check=True, capture_output=True, text=True)
        said = json.loads(done.stdout.splitlines()[-1])
        return np.load(folder / "logits.npy").reshape(len(texts), -1), said["seconds"], said["batch_size"]


def operations(config: Any, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the operations of each pair: two per weight of a linear layer and token, and those of attention."""
    hidden, layers = config.hidden_size, config.num_hidden_layers
    linear = 2 * layers * (4 * hidden**2 + 2 * hidden * config.intermediate_size)
    return np.asarray(lengths * (linear + 4.0 * layers * hidden * lengths))


def int8_ceiling() -> float:
    """Return the operations per second of the fastest of some large int8 matrix products of torch."""
    import torch

    torch.set_num_threads(cores())
    found = 0.0
    for size in (1024, 2048, 4096):
        left, right = (torch.randint(-128, 127, (size, size), dtype=torch.int8) for _ in range(2))
        torch._int_mm(left, right)
        start = perf_counter()
        for _ in range(5):
            torch._int_mm(left, right)
        found = max(found, 5 * 2 * size**3 / (perf_counter() - start))
    return found


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 10_800,
        sys.argv[2] if len(sys.argv) > 2 else None,
        [name for name in PRECISIONS if name in sys.argv[3:]] or PRECISIONS[1:],
    )
