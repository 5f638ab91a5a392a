"""The few highest of many values, row by row."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_STRIPS: Final = 256


def highest(values: Floats, count: int) -> Rows:
    """Return the places of the `count` highest values of each row, highest first.

    Columns that lie `_STRIPS` apart form a strip. The highest are in the `count` strips with the highest tops, and few
    values are in those, so that the slow partition sees few.
    """
    rows, columns = values.shape
    depth = columns // _STRIPS
    if depth <= 1 or count >= _STRIPS:
        return _in_order(values, np.broadcast_to(np.arange(columns), values.shape), count)
    tops = values[:, : depth * _STRIPS].reshape(rows, depth, _STRIPS).max(axis=1)
    strips = np.argpartition(-tops, count - 1, axis=1)[:, :count]
    inside = (strips[:, None, :] + _STRIPS * np.arange(depth)[:, None]).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(depth * _STRIPS, columns), (rows, columns - depth * _STRIPS))
    return _in_order(values, np.concatenate([inside, rest], axis=1), count)


def _in_order(values: Floats, places: Rows, count: int) -> Rows:
    """Return the `count` of each row's places where its values are highest, highest first."""
    part = np.argpartition(-np.take_along_axis(values, places, axis=1), count - 1, axis=1)[:, :count]
    found = np.take_along_axis(places, part, axis=1)
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
