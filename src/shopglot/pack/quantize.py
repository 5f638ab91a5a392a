"""Weights and activations in int8: measured on calibration texts beforehand, or while the model runs."""

import logging
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from shopglot.core.errors import RecipeError
from shopglot.pack.engines import without_telemetry
from shopglot.pack.tokens import Feed


def quantize_static(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Write the ONNX file `source` with matrix products in int8, whose ranges are those seen on `feeds`.

    Both engines run the result. The method is post-training quantization of transformers with smoothed activations
    (SmoothQuant, Xiao et al., 2023) as NNCF has it.
    """
    without_telemetry()
    try:
        import nncf
        import onnx
    except ImportError as missing:
        raise RecipeError("packing in int8 needs nncf and onnx: pip install 'shopglot[pack]'") from missing
    logging.getLogger("nncf").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # where progress belongs
        warnings.simplefilter("ignore")
        quantized = nncf.quantize(
            onnx.load(str(source)),
            nncf.Dataset([dict(feed) for feed in feeds]),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(feeds),
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
