"""Small heads: fitted by scikit-learn, stored as safetensors, applied with numpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores

Features = NDArray[np.float32]
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
_BATCH: Final = 256
_FEWEST_OF_A_CLASS: Final = 10
"""With fewer, the tenth on which a network's training stops would lack one of the classes."""


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """The averaged probabilities of a few small networks over standardised features.

    Each network is a tuple of layers (weights of shape (inputs, outputs), biases); between layers stands a ReLU.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    networks: tuple[tuple[Layer, ...], ...]

    def __call__(self, features: Features) -> Scores:
        """Return P(relevant) for features of shape (rows, columns)."""
        inputs = (features - self.mean) / self.scale
        scores: Scores = np.mean([_probability(inputs, layers) for layers in self.networks], axis=0, dtype=np.float64)
        return scores

    @classmethod
    def mean_of(cls, heads: Sequence[Self]) -> Self:
        """Return the average of heads with as many networks each as one head over features as they are."""
        own = [_unstandardised(layers, head) for head in heads for layers in head.networks]
        return cls(np.zeros_like(heads[0].mean), np.ones_like(heads[0].scale), tuple(own))

    def save(self, path: Path) -> None:
        """Write the head as one safetensors file."""
        tensors = {"mean": self.mean, "scale": self.scale}
        for n, layers in enumerate(self.networks):
            for k, (weights, biases) in enumerate(layers):
                tensors[f"networks.{n}.{k}.weight"] = np.ascontiguousarray(weights)
                tensors[f"networks.{n}.{k}.bias"] = biases
        save_file(tensors, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the head that `save` wrote."""
        tensors = load_file(path)
        depth: dict[int, int] = {}
        for name in tensors:
            if name.endswith(".weight"):
                _, n, k, _ = name.split(".")
                depth[int(n)] = max(depth.get(int(n), 0), int(k) + 1)
        networks = [
            tuple((tensors[f"networks.{n}.{k}.weight"], tensors[f"networks.{n}.{k}.bias"]) for k in range(depth[n]))
            for n in sorted(depth)
        ]
        return cls(tensors["mean"], tensors["scale"], tuple(networks))


def _unstandardised(layers: tuple[Layer, ...], head: Head) -> tuple[Layer, ...]:
    """Return a network of a head that reads features as they are."""
    (weights, biases), *later = layers
    scaled = weights / head.scale[:, np.newaxis]
    return ((scaled, biases - head.mean @ scaled), *later)


def require_heads(heads: Mapping[Task, Head], pairs: Pairs) -> None:
    """Raise DataError where `pairs` ask for a task that no head was fitted for."""
    foreign = [task for task in pairs.tasks if task not in heads]
    if foreign:
        raise DataError(f"no pair of {' and '.join(foreign)} was there to train on; label some, or use fewer folds")


def fit_logistic(features: Features, labels: NDArray[np.int8], weights: Scores | None = None) -> Head:
    """Return a logistic regression as a head of one layer; `weights` say how many rows each of them stands for.

    Raises DataError where one class is absent.
    """
    _require_both_classes(labels, 1)
    linear = _sklearn("linear_model").LogisticRegression(max_iter=1000)
    mean, scale = _standard(features)
    fitted = linear.fit((features - mean) / scale, labels, weights)
    return Head(mean, scale, (((fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)),),))


def fit_networks(
    features: Features,
    labels: NDArray[np.int8],
    weights: Scores | None = None,
    *,
    hidden: Sequence[int],
    networks: int,
    seed: int,
) -> Head:
    """Return the average of `networks` multilayer perceptrons, each stopped early on its own tenth of the rows.

    `weights` say how many rows each of them stands for. Raises DataError where a class has fewer than ten rows.
    """
    _require_both_classes(labels, _FEWEST_OF_A_CLASS)
    classifier = _sklearn("neural_network").MLPClassifier
    mean, scale = _standard(features)
    inputs = (features - mean) / scale
    batch = _BATCH if len(labels) * 0.9 > _BATCH else "auto"
    fitted = [
        classifier(tuple(hidden), alpha=1e-3, batch_size=batch, early_stopping=True, random_state=seed + n).fit(
            inputs, labels, weights
        )
        for n in range(networks)
    ]
    return Head(mean, scale, tuple(_layers(network) for network in fitted))


def weighted_classes(features: Features, wanted: Scores, weights: Scores) -> tuple[Features, NDArray[np.int8], Scores]:
    """Return features, labels and weights that teach a classifier the probabilities `wanted`, shape (rows,).

    A row counts as relevant by its probability and as irrelevant by the rest, which makes the weighted log loss the
    cross-entropy with the probability itself. Rows that are certain stay one row, in their order.
    """
    sure, unsure = wanted > 0, (wanted > 0) & (wanted < 1)
    labels = np.concatenate([sure, np.zeros(unsure.sum(), dtype=np.bool_)]).astype(np.int8)
    first = weights * np.where(sure, wanted, 1.0)
    rest = (weights * (1.0 - wanted))[unsure]
    return np.concatenate([features, features[unsure]]), labels, np.concatenate([first, rest])


def _require_both_classes(labels: NDArray[np.int8], fewest: int) -> None:
    relevant = int((labels == 1).sum())
    if min(relevant, len(labels) - relevant) < fewest:
        raise DataError(
            f"{relevant} relevant and {len(labels) - relevant} irrelevant pairs are left to learn from, and a head "
            f"needs {fewest} of each; label more pairs, or deal fewer folds"
        )


def _probability(inputs: NDArray[np.float32], layers: Sequence[Layer]) -> NDArray[np.float32]:
    for weights, biases in layers[:-1]:
        inputs = np.maximum(inputs @ weights + biases, 0.0)
    weights, biases = layers[-1]
    logits = np.clip((inputs @ weights + biases)[:, 0], -30.0, 30.0)
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def _standard(features: Features) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scale = features.std(axis=0)
    return features.mean(axis=0), np.where(scale > 0, scale, 1.0).astype(np.float32)


def _layers(network: Any) -> tuple[Layer, ...]:
    pairs = zip(network.coefs_, network.intercepts_, strict=True)
    return tuple((weights.astype(np.float32), biases.astype(np.float32)) for weights, biases in pairs)


def _sklearn(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{module}")
    except ImportError as missing:
        raise RecipeError("fitting a head needs scikit-learn: pip install 'shopglot[train]'") from missing
