"""Parts become alike by moving few groups."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_LEAST_GAIN: Final = 1e-4  # of what there was to gain; the hundreds of moves that gain less would only unsettle groups


def moved(part: Ints, counts: Floats, surplus: Floats, shares: Floats) -> Ints:
    """Return the part of each group after moves that give the parts what they lack, each the best at its time.

    `part` numbers the part of each group, shape (groups,); `counts` says how many rows of each kind a group has, shape
    (groups, kinds); `surplus` how many more than its share of them each part has, shape (parts, kinds). The moves
    lessen the sum of the squared surplus over the squared `shares`, shape (parts,), while one lessens it notably.

    >>> counts, surplus = np.array([[3.0], [2.0], [1.0]]), np.array([[3.0], [-3.0]])
    >>> moved(np.array([0, 0, 0]), counts, surplus, np.array([0.5, 0.5])).tolist()
    [1, 0, 0]
    """
    part, each, weight = part.copy(), np.arange(len(part)), shares[:, None] ** -2.0
    least, by_kind = _LEAST_GAIN * (weight * surplus**2).sum(), counts.T.copy()
    square, overlap = (by_kind**2).sum(axis=0), surplus @ by_kind
    while len(part):
        leaving = weight[part, 0] * (square - 2 * overlap[part, each])
        change = leaving + weight * (square + 2 * overlap)
        change[part, each] = 0
        to, best = divmod(int(change.argmin()), len(part))
        if change[to, best] >= -least:
            break
        own_kinds = np.flatnonzero(counts[best])
        shared = counts[best, own_kinds] @ by_kind[own_kinds]
        overlap[part[best]] -= shared
        overlap[to] += shared
        part[best] = to
    return part
