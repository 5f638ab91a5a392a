"""Weights and activations in int8: measured on calibration texts beforehand, or while the model runs."""

import logging
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np

from shopglot.core.errors import RecipeError
from shopglot.pack.engines import without_telemetry
from shopglot.pack.tokens import Feed

_SMOOTHING: Final = 0.8
"""How much of an outlier is moved from activations into weights, from 0 to 1."""
_OUTLIER: Final = 65.0
"""Times the root mean square: where inputs have larger ones, eight bits leave too few steps for all others."""
_LOOKED_AT: Final = 8
"""Batches of texts in which outliers are looked for; special tokens have them, so that every batch shows them."""


def quantize_static(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Write the ONNX file `source` with the products of weights in int8, whose ranges are those seen on `feeds`.

    Both engines run the result. The method is post-training quantization of transformers with smoothed activations
    (SmoothQuant, Xiao et al., 2023) as NNCF has it. The products within attention stay as they are: they are few
    operations, flip more decisions than any layer, and are no faster in int8. So do products whose inputs have
    outliers, as the second of a feed-forward layer has for special tokens.
    """
    without_telemetry()
    try:
        import nncf
        import onnx
        from nncf.quantization import advanced_parameters
    except ImportError as missing:
        raise RecipeError("packing in int8 needs nncf and onnx: pip install 'shopglot[pack]'") from missing
    logging.getLogger("nncf").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # where progress belongs
        warnings.simplefilter("ignore")
        model = onnx.load(str(source))
        smooth = advanced_parameters.AdvancedSmoothQuantParameters(matmul=_SMOOTHING)
        whole = [*_products_of_activations(model), *_products_with_outliers(model, feeds[:_LOOKED_AT])]
        quantized = nncf.quantize(
            model,
            nncf.Dataset([dict(feed) for feed in feeds]),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(feeds),
            ignored_scope=nncf.IgnoredScope(names=whole, types=["Gemm"], validate=False),
            advanced_parameters=advanced_parameters.AdvancedQuantizationParameters(smooth_quant_alphas=smooth),
        )
        onnx.save(quantized, str(target))


def quantize_dynamic(source: Path, target: Path) -> None:
    """Write the ONNX file `source` with weights in int8, and activations rounded by the range of each batch."""
    try:
        import onnx
        from onnxruntime.quantization import QuantType
        from onnxruntime.quantization import quantize_dynamic as quantize
    except ImportError as missing:
        raise RecipeError("int8-dynamic needs onnx and onnxruntime: pip install 'shopglot[engines,pack]'") from missing
    # Its shape inference does not know every tensor, and asks what to take the others for.
    quantize(
        str(source),
        str(target),
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _products_of_activations(model: Any) -> list[str]:
    """Return the names of the matrix products of an ONNX model that have no weights, as those within attention."""
    fixed = _fixed(model)
    return [node.name for node in model.graph.node if node.op_type == "MatMul" and not fixed & set(node.input)]


def _products_with_outliers(model: Any, feeds: Sequence[Feed]) -> list[str]:
    """Return the names of the matrix products whose inputs have an outlier on `feeds`."""
    import onnx
    from onnxruntime import InferenceSession

    fixed = _fixed(model)
    products = [node for node in model.graph.node if node.op_type == "MatMul" and fixed & set(node.input)]
    names = list(dict.fromkeys(node.input[0] for node in products))
    looking = onnx.ModelProto()
    looking.CopyFrom(model)
    looking.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = InferenceSession(looking.SerializeToString(), providers=["CPUExecutionProvider"])
    seen = [session.run(names, dict(feed)) for feed in feeds]
    ratio = {
        name: max(float(np.abs(each).max()) for each in values)
        / np.sqrt(np.mean([np.mean(each**2) for each in values]))
        for name, values in zip(names, zip(*seen, strict=True), strict=True)
    }
    return [node.name for node in products if ratio[node.input[0]] > _OUTLIER]


def _fixed(model: Any) -> set[str]:
    """Return the names of the tensors of an ONNX model that no input changes."""
    stored = {weights.name for weights in model.graph.initializer}
    return stored | {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
