"""Evidence for a budget, drawn by a seed."""

import numpy as np

from shopglot.serve.cascade.cascade import Cost
from shopglot.serve.cascade.routings import Evidence, Said


def evidence(rows: int, noises: list[float], seed: int = 0) -> Evidence:
    """Return evidence of stages that err the less, and cost the more, the later they come."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0.5, 2.0, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    stages = []
    for number, noise in enumerate(noises):
        probability = 1 / (1 + np.exp(-(truth + rng.normal(0.0, noise, rows))))
        stages.append(Said(probability, probability >= 0.4, Cost(1e-5 * 10**number, 2e-5 * 10**number)))
    return Evidence(labels, rng.integers(0, 5, rows), tuple(stages))
