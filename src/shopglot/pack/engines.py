"""Model files run by an engine: ONNX Runtime, which is everywhere, and OpenVINO, which is fastest on x86."""

import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shopglot.core.errors import BundleError
from shopglot.pack.tokens import Feed

log = logging.getLogger(__name__)

Engine = Literal["openvino", "onnxruntime"]
Precision = Literal["int8", "int8-dynamic", "bf16", "fp32"]
Floats = NDArray[np.float32]

PRECISIONS: Final[Mapping[Engine, tuple[Precision, ...]]] = {
    "openvino": ("int8", "bf16", "fp32"),
    "onnxruntime": ("int8", "int8-dynamic", "fp32"),
}
_INSTRUCTIONS: Final[Mapping[Precision, frozenset[str]]] = {
    "fp32": frozenset(),
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}),
    "int8-dynamic": frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}),
}
"""The processor flags of Linux, on x86 and ARM, any of which makes a precision fast."""


class Session(Protocol):
    """A model that is ready to run, by several threads at once."""

    def infer(self, feed: Feed) -> Floats:
        """Return the model's only output for one batch."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """Which engine runs a model, and in which precision."""

    engine: Engine
    precision: Precision


def open_session(model: Path, running: Running) -> Session:
    """Return a session of an ONNX file; raises BundleError where no engine is installed or the file is damaged.

    Where this machine lacks the engine or the instructions, the nearest it has is taken, and the log says so once.
    """
    possible = here(running, installed=installed(), capable=capable())
    try:
        return _OPENERS[possible.engine](model, possible.precision)
    except Exception as reason:  # each engine has errors of its own, and of no common kind
        said = " ".join(str(reason).split())[:200]
        raise BundleError(f"{model} cannot be run by {possible.engine} ({said}); copy the bundle again") from reason


def here(running: Running, *, installed: Sequence[Engine], capable: frozenset[Precision]) -> Running:
    """Return how a model runs where only these engines are `installed` and the processor is `capable` of this.

    >>> here(Running("openvino", "bf16"), installed=["onnxruntime"], capable=frozenset({"fp32"}))
    Running(engine='onnxruntime', precision='fp32')
    """
    if not installed:
        raise BundleError("no engine is installed to run this bundle: pip install 'shopglot[engines]'")
    engine, precision = running.engine, running.precision
    if engine not in installed:
        able = [name for name in installed if precision in PRECISIONS[name] or precision == "bf16"]
        if not able:
            raise BundleError(f"only {engine} runs {precision}, and it is not installed: pip install {engine}")
        engine = able[0]
        _say(f"{running.engine} is not installed, which this bundle was packed for; {engine} runs it, likely slower")
    if precision == "bf16" and (precision not in PRECISIONS[engine] or precision not in capable):
        precision = "fp32"
        _say(f"this processor or {engine} does not compute in bfloat16; the bundle runs in float32, slower")
    if precision in {"int8", "int8-dynamic"} and precision not in capable:
        _say("this processor has no instructions for int8; the bundle runs without them, slower and a little different")
    return Running(engine, precision)


def capable() -> frozenset[Precision]:
    """Return the precisions that this processor has instructions for; one that does not tell is thought to have all."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return frozenset(_INSTRUCTIONS)
    return frozenset(name for name, any_of in _INSTRUCTIONS.items() if not any_of or any_of & flags)


def cores() -> int:
    """Return how many processor cores this process may use, at most `OMP_NUM_THREADS`, which limits one of many."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(limit)) if limit.isdigit() and int(limit) else allowed


def without_telemetry() -> None:
    """Keep OpenVINO and NNCF from calling home; it is to be called before either is imported."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # they take its absence as a no


class OpenVinoSession:
    """A compiled OpenVINO model, with one stream per core."""

    def __init__(self, model: Path, precision: Precision) -> None:
        """Read and compile an ONNX file."""
        without_telemetry()
        import openvino

        # What a model in int8 leaves in floating point, such as attention, is no less exact in bfloat16 than the rest.
        rounded = precision == "bf16" or (precision == "int8" and "bf16" in capable())
        config = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": cores(),
            "INFERENCE_NUM_THREADS": cores(),
            "INFERENCE_PRECISION_HINT": "bf16" if rounded else "f32",
            "SNIPPETS_MODE": "DISABLE",  # its own kernel for attention is slower on short texts than the parts of it
        }
        compiled = openvino.Core().compile_model(str(model), "CPU", config)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(cores()):
            self._requests.put(compiled.create_infer_request())

    def infer(self, feed: Feed) -> Floats:
        """Return the model's only output for one batch; a request serves one thread at a time."""
        request = self._requests.get()
        try:
            return np.array(request.infer(dict(feed), share_inputs=True)[0], dtype=np.float32)
        finally:
            self._requests.put(request)


class OnnxRuntimeSession:
    """An ONNX Runtime session whose every call runs in the thread that calls."""

    def __init__(self, model: Path, precision: Precision) -> None:
        """Read an ONNX file; its precision is in the file."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def infer(self, feed: Feed) -> Floats:
        """Return the model's only output for one batch."""
        return np.asarray(self._session.run(None, dict(feed))[0], dtype=np.float32)


_OPENERS: Final[Mapping[Engine, Callable[[Path, Precision], Session]]] = {
    "openvino": OpenVinoSession,
    "onnxruntime": OnnxRuntimeSession,
}


def installed() -> list[Engine]:
    """Return the engines that this environment has, the one that is usually fastest first."""
    return [engine for engine in _OPENERS if importlib.util.find_spec(engine) is not None]


@cache
def _say(sentence: str) -> None:
    log.warning(sentence)
