"""Run by the Python of another environment: sentence-transformers with its OpenVINO backend scores the given texts.

Usage: `python peer_openvino.py MODEL TEXTS PRECISION BATCH_SIZE,… TRIED OUT`. Writes the logits to OUT (.npy) and
prints one JSON line with the seconds of the batch size that was fastest on the first TRIED texts.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

import numpy as np


def main(model: str, texts: str, precision: str, sizes: str, tried: str, out: str) -> None:
    """Score, choose the batch size, score again and say how long that took."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # importing it fails, so that it calls nobody
    import torch
    from sentence_transformers import CrossEncoder

    pairs = [tuple(pair) for pair in json.loads(Path(texts).read_text())]
    settings = {"ov_config": {"INFERENCE_PRECISION_HINT": precision}, "file_name": "openvino_model.xml"}
    encoder = CrossEncoder(model, backend="openvino", model_kwargs=settings)

    def timed(some: list[tuple[str, str]], size: int) -> tuple[float, np.ndarray]:
        start = perf_counter()
        logits = encoder.predict(some, batch_size=size, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return perf_counter() - start, np.asarray(logits, dtype=np.float32)

    first = pairs[: int(tried)]
    choices = [int(size) for size in sizes.split(",")]
    timed(first, choices[0])
    size = min(choices, key=lambda each: timed(first, each)[0])
    seconds, logits = timed(pairs, size)
    np.save(out, logits)
    print(json.dumps({"seconds": seconds, "batch_size": size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
