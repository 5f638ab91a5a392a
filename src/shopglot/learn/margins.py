"""Margin-MSE: a model learns how much more relevant one target of a query is than another.

The margin of two pairs is the difference of their log odds, and the loss the squared distance of the model's margin
from the teacher's (Hofstätter et al., 2020). Margins say nothing of where relevance begins, so a share of the loss can
stay cross-entropy.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores

_SURE: Final = 1e-3
"""Log odds are taken of probabilities this far inside 0 and 1: a label has none, and would outweigh every doubt."""


def couples_of(pairs: Pairs, seed: int) -> NDArray[np.int64]:
    """Return the rows of two targets of one query and task, shape (couples, 2); a pair alone stands beside itself.

    The targets of a query are put in a random ring and each is coupled with the next, so that every pair counts twice.
    """
    shuffled = pairs.frame.select("task", "query").with_row_index("row").sample(fraction=1, shuffle=True, seed=seed)
    ring = pl.col("row").shift(-1).fill_null(pl.col("row").first()).over("task", "query")
    coupled = shuffled.select("row", other=ring).sort("row")
    return coupled.to_numpy().astype(np.int64)


def coupled_rows(encoded: dict[str, list[list[int]]], wanted: Scores, couples: NDArray[np.int64]) -> Any:
    """Return a dataset whose rows each hold the token columns and the wanted probabilities of two pairs."""
    from datasets import Dataset

    columns: dict[str, Any] = {
        name: [[values[one], values[other]] for one, other in couples.tolist()] for name, values in encoded.items()
    }
    lengths = np.array([len(ids) for ids in encoded["input_ids"]])[couples].max(axis=1)
    return Dataset.from_dict(
        {**columns, "labels": wanted[couples].astype(np.float32).tolist(), "length": lengths.tolist()}
    )


def side_by_side(rows: list[dict[str, Any]], pad: Callable[[list[dict[str, Any]]], Any]) -> Any:
    """Return a padded batch in which the two pairs of each row stand one behind the other."""
    singles = []
    for row in rows:
        labels = row["labels"]
        tokens = {name: values for name, values in row.items() if name not in ("labels", "length")}
        singles += [
            {**{name: values[side] for name, values in tokens.items()}, "labels": [labels[side]]} for side in (0, 1)
        ]
    return pad(singles)


def coupled_loss(predicted: Any, labels: Any, num_items_in_batch: Any = None, *, margin: float) -> Any:
    """Return margin-MSE and cross-entropy in the shares `margin` and the rest; shapes (2 × couples, 1)."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    logits = predicted.logits.float()
    each = binary_cross_entropy_with_logits(logits, labels, reduction="none").sum()
    teacher = labels.clamp(_SURE, 1 - _SURE).logit()
    squared = (_margins(logits) - _margins(teacher)).square().sum()
    pairs = labels.numel() if num_items_in_batch is None else num_items_in_batch
    return ((1 - margin) * each + margin * 2 * squared) / pairs


def _margins(log_odds: Any) -> Any:
    one, other = log_odds.view(-1, 2).unbind(dim=1)
    return one - other
