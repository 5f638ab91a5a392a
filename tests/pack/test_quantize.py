"""What is quantized and what is left as it was, on a network made for it."""

from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from shopglot.pack.quantize import quantize_static
from shopglot.pack.tokens import Feed

ROWS, WIDTH = 600, 16
"""So many numbers that one can be more than sixty-five times their root mean square."""
NUMBERS = [np.random.default_rng(seed).normal(size=(1, ROWS, WIDTH)).astype(np.float32) for seed in range(12)]
FEEDS = [cast("Feed", {"x": each}) for each in NUMBERS]


def network(path: Path, *, outlier: float) -> Path:
    """Write softmax(x·xᵀ)·x, then two layers; of what the second reads, one number is `outlier` times what it was."""
    rng = np.random.default_rng(0)
    mask = np.zeros((1, ROWS, WIDTH))
    mask[0, 0, 3] = outlier
    arrays = {"first": rng.normal(size=(WIDTH, WIDTH)), "second": rng.normal(size=(WIDTH, WIDTH)), "mask": mask}
    stored = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in arrays.items()]
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1], name="turn"),
        helper.make_node("MatMul", ["x", "turned"], ["likeness"], name="scores"),
        helper.make_node("Softmax", ["likeness"], ["attention"], name="softmax"),
        helper.make_node("MatMul", ["attention", "x"], ["context"], name="context"),
        helper.make_node("MatMul", ["context", "first"], ["one"], name="first layer"),
        helper.make_node("Mul", ["one", "mask"], ["masked"], name="only one row"),
        helper.make_node("Add", ["masked", "one"], ["two"], name="joined"),
        helper.make_node("MatMul", ["two", "second"], ["output"], name="second layer"),
    ]
    shape = [1, ROWS, WIDTH]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, shape)],
        stored,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def in_int8(path: Path) -> set[str]:
    graph = onnx.load(str(path)).graph
    maker = {name: node for node in graph.node for name in node.output}

    def dequantized(name: str) -> bool:
        node = maker.get(name)
        while node is not None and node.op_type in {"Transpose", "Mul", "Reshape"}:
            node = maker.get(node.input[0])
        return node is not None and node.op_type == "DequantizeLinear"

    return {node.name for node in graph.node if node.op_type == "MatMul" and all(map(dequantized, node.input))}


@pytest.mark.parametrize(("outlier", "expected"), [(0.0, {"first layer", "second layer"}), (4e3, {"first layer"})])
def test_layers_are_quantized_but_for_attention_and_for_those_with_outliers(
    outlier: float, expected: set[str], tmp_path: Path
) -> None:
    quantize_static(network(tmp_path / "whole.onnx", outlier=outlier), tmp_path / "int8.onnx", FEEDS)
    assert in_int8(tmp_path / "int8.onnx") == expected
