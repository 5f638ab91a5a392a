"""Networks in torch become ONNX files whose rows and tokens may be of any number."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_OPSET: Final = 17
_EXAMPLE: Final = (2, 7)
"""Rows and tokens of the input that is traced; any other number gives the same graph."""


def export_onnx(network: Any, inputs: Sequence[str], path: Path) -> None:
    """Write `network`, a torch module of token inputs with one output, as an ONNX file.

    It is traced in evaluation mode, for dropout would stay on in the file.
    """
    import torch

    rows_and_tokens = {0: "rows", 1: "tokens"}
    example = tuple(torch.ones(_EXAMPLE, dtype=torch.int64) for _ in inputs)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # that this exporter is the old one, and what it takes for constant
        torch.onnx.export(
            network.eval(),
            example,
            str(path),
            input_names=list(inputs),
            output_names=["output"],
            dynamic_axes={**dict.fromkeys(inputs, rows_and_tokens), "output": {0: "rows"}},
            opset_version=_OPSET,
            dynamo=False,
        )


def classifier(model: Any, inputs: Sequence[str]) -> Any:
    """Return a transformers sequence classifier as a module of token inputs that gives its logits."""
    import torch

    class Classifier(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        """Logits, shape (rows, labels)."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tokens: Any) -> Any:
            return self.model(**dict(zip(inputs, tokens, strict=True))).logits

    return Classifier()


def mean_pooled(model: Any, inputs: Sequence[str]) -> Any:
    """Return a transformers encoder as a module that gives the unit vector of the mean of its last hidden states."""
    import torch

    class MeanPooled(torch.nn.Module):  # type: ignore[misc]
        """Vectors, shape (rows, dimensions)."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tokens: Any) -> Any:
            named = dict(zip(inputs, tokens, strict=True))
            hidden = self.model(**named).last_hidden_state
            weight = named["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1), dim=-1)

    return MeanPooled()
