import logging
import sys
from pathlib import Path

import pytest

from shopglot.core.errors import BundleError
from shopglot.pack.engines import Engine, Precision, Running, here, open_session, without_telemetry

ALL: frozenset[Precision] = frozenset({"fp32", "bf16", "int8", "int8-dynamic"})
BOTH: list[Engine] = ["openvino", "onnxruntime"]


@pytest.mark.parametrize("precision", sorted(ALL - {"int8-dynamic"}))
def test_a_machine_that_has_all_runs_it_as_recorded(precision: Precision, caplog: pytest.LogCaptureFixture) -> None:
    assert here(Running("openvino", precision), installed=BOTH, capable=ALL) == Running("openvino", precision)
    assert not caplog.records


@pytest.mark.parametrize(
    ("running", "installed", "capable", "found", "said"),
    [
        (
            Running("openvino", "int8"),
            ["onnxruntime"],
            ALL,
            Running("onnxruntime", "int8"),
            "openvino is not installed",
        ),
        (Running("openvino", "bf16"), ["onnxruntime"], ALL, Running("onnxruntime", "fp32"), "not compute in bfloat16"),
        (Running("openvino", "bf16"), BOTH, ALL - {"bf16"}, Running("openvino", "fp32"), "not compute in bfloat16"),
        (Running("openvino", "int8"), BOTH, {"fp32"}, Running("openvino", "int8"), "has no instructions for int8"),
    ],
)
def test_a_machine_that_lacks_something_takes_the_nearest_and_says_so(
    running: Running,
    installed: list[Engine],
    capable: frozenset[Precision],
    found: Running,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    here.__globals__["_say"].cache_clear()
    with caplog.at_level(logging.WARNING):
        assert here(running, installed=installed, capable=capable) == found
        assert here(running, installed=installed, capable=capable) == found
    assert sum(said in record.message for record in caplog.records) == 1


def test_without_any_engine_one_sentence_says_what_to_install() -> None:
    with pytest.raises(BundleError, match=r"no engine is installed .* pip install 'shopglot\[engines\]'"):
        here(Running("openvino", "int8"), installed=[], capable=ALL)


def test_what_only_one_engine_runs_is_not_given_to_another() -> None:
    with pytest.raises(BundleError, match=r"only onnxruntime runs int8-dynamic, .* pip install onnxruntime"):
        here(Running("onnxruntime", "int8-dynamic"), installed=["openvino"], capable=ALL)


@pytest.mark.parametrize("engine", BOTH)
def test_a_cut_file_is_told_in_one_sentence(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x07\x12\x07pytorch")
    with pytest.raises(BundleError, match=f"model.onnx cannot be run by {engine} .*; copy the bundle again"):
        open_session(path, Running(engine, "fp32"))


def test_openvino_finds_nothing_to_call_home_with() -> None:
    without_telemetry()
    with pytest.raises(ImportError):
        __import__("openvino_telemetry")
    assert sys.modules["openvino_telemetry"] is None
