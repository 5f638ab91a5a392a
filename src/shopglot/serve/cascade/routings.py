"""Every way to route pairs through some of the stages, with what each costs and how well it decides.

A routing takes one, two or three of the stages in the order of their cost, and a band of unsure probabilities for all
but the last. Its counts are sums over rows in which the bands of two stages meet as a product, so that one product of
matrices counts a whole grid of routings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopglot.core.folds import Mask
from shopglot.core.metrics import Floats, Labels
from shopglot.serve.cascade.cascade import Band, Cost
from shopglot.serve.cascade.stage_cost import Repetition

MOST_STAGES: Final = 3
TEXTS_OF_A_PAIR: Final = 2.0
_SHARES: Final = (0.0, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.11, 0.15, 0.2, 0.27, 0.36, 0.5, 0.7, 1.0)
"""Which shares of the pairs on one side of the threshold a band may take in, the nearest to it first."""

_LATER: Final = ((1.0, 1.0, 1.0), (0.0, 1.0, 1.0), (0.0, 0.0, 1.0))
"""What a row counts for that the first, second and third stage decides, where those are counted that reach a stage."""


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What one stage says of the evidence, arrays of shape (rows,), and what it costs."""

    probability: Floats
    decision: Mask
    cost: Cost


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """Labelled pairs of one task that no stage learned from, dealt into parts, with what each stage says of them.

    The stages stand in the order of their cost.
    """

    labels: Labels
    part: NDArray[np.int64]
    stages: tuple[Said, ...]


class Route(NamedTuple):
    """Stages by their number, and the band of each but the last."""

    stages: tuple[int, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Routings:
    """Routings with their counts, of shape (routings, parts) where nothing else is said.

    `positive` has the shape (parts,). `reached`, of shape (routings, 3), is the share of pairs that reach the first,
    second and third stage, and `seconds`, of shape (routings,), what a row of the file costs on average.
    """

    routes: tuple[Route, ...]
    hits: Floats
    said: Floats
    positive: Floats
    reached: Floats
    seconds: Floats

    def f1(self, parts: Mask) -> Floats:
        """Return the F1 of each routing on these parts of the evidence together, shape (routings,)."""
        hits, said = self.hits[:, parts].sum(axis=1), self.said[:, parts].sum(axis=1)
        return np.asarray(2 * hits / np.maximum(said + self.positive[parts].sum(), 1))


def all_routings(evidence: Evidence, repetition: Repetition) -> Routings:
    """Return every routing over a grid of bands, for a file that repeats itself so."""
    part = np.eye(int(evidence.part.max(initial=0)) + 1)[evidence.part]
    numbers = range(len(evidence.stages))
    grids = [_grid(said) for said in evidence.stages]
    blocks = [
        _block(evidence, part, chosen, grids, repetition)
        for size in range(1, min(MOST_STAGES, len(numbers)) + 1)
        for chosen in combinations(numbers, size)
    ]
    positive = (part * (evidence.labels == 1)[:, None]).sum(axis=0)
    routes = tuple(route for block in blocks for route in block.routes)
    columns = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("hits", "said", "reached", "seconds")
    )
    hits, said, reached, seconds = columns
    return Routings(routes, hits, said, positive, reached, seconds)


def seconds_of(costs: Sequence[Cost], reached: Floats, repetition: Repetition) -> Floats:
    """Return what a row costs on average, shape (routings,), if these shares of (routings, stages) reach each stage.

    A stage that few pairs reach may still meet most texts: it is taken to meet as many new ones as if no text that
    reaches it came twice, up to all that the file has.
    """
    pairs = reached * repetition.pairs
    texts = np.minimum(TEXTS_OF_A_PAIR * pairs, repetition.texts)
    per_pair, per_text = np.array([cost.pair for cost in costs]), np.array([cost.text for cost in costs])
    return np.asarray(pairs @ per_pair + texts @ per_text)


@dataclass(frozen=True, eq=False, slots=True)
class _Grid:
    """Bands, and which rows each of them passes on, shape (bands, rows)."""

    bands: tuple[Band, ...]
    unsure: Floats


class _Block(NamedTuple):
    routes: tuple[Route, ...]
    hits: Floats
    said: Floats
    reached: Floats
    seconds: Floats


def _grid(said: Said) -> _Grid:
    """Return bands around the threshold: from some share of the pairs below it to some share of those above."""
    below, above = (np.sort(said.probability[said.decision == side]) for side in (False, True))
    lows, highs = _reaching(below[::-1], 0.0), _reaching(above, 1.0)
    edge = float(np.mean([*below[-1:], *above[:1]]))
    bands = tuple(
        Band(edge if low is None else low, edge if high is None else high)
        for low in lows
        for high in highs
        if low is not None or high is not None
    )
    ends = np.array(bands)
    unsure = (said.probability >= ends[:, :1]) & (said.probability <= ends[:, 1:])
    return _Grid(bands, unsure.astype(np.float64))


def _reaching(ordered: Floats, last: float) -> list[float | None]:
    """Return the end of a band that takes in each share of the probabilities, nearest first; None for no share."""
    counts = sorted({round(share * len(ordered)) for share in _SHARES})
    return [None if count == 0 else last if count == len(ordered) else float(ordered[count - 1]) for count in counts]


def _block(
    evidence: Evidence, part: Floats, chosen: tuple[int, ...], grids: Sequence[_Grid], repetition: Repetition
) -> _Block:
    """Return the routings through the chosen stages; where there are fewer than three, the others pass nothing on."""
    nothing = _Grid((Band(0.0, 0.0),), np.zeros((1, len(evidence.labels))))
    first, second = (grids[chosen[n]] if n + 1 < len(chosen) else nothing for n in range(MOST_STAGES - 1))
    said = [evidence.stages[number].decision.astype(np.float64) for number in chosen]
    said += [said[-1]] * (MOST_STAGES - len(said))
    relevant = (evidence.labels == 1).astype(np.float64)
    everyone = np.ones((len(relevant), 1))
    reached = np.column_stack([_sums(first, second, deciding, everyone) / len(relevant) for deciding in _LATER])
    routes = tuple(Route(chosen, (one, other)[: len(chosen) - 1]) for one in first.bands for other in second.bands)
    costs = [evidence.stages[number].cost for number in chosen]
    return _Block(
        routes,
        _sums(first, second, [relevant * each for each in said], part),
        _sums(first, second, said, part),
        reached,
        seconds_of(costs, reached[:, : len(costs)], repetition),
    )


def _sums(first: _Grid, second: _Grid, values: Sequence[Floats | float], part: Floats) -> Floats:
    """Return the sums over the rows of each part, shape (routings, parts).

    `values` are those of a row that the first, the second and the third stage decides.
    """
    one, two, three = values
    base = (part * np.broadcast_to(one, len(part))[:, None]).sum(axis=0)
    moved = first.unsure @ (part * np.broadcast_to(two - one, len(part))[:, None])
    weights = part * np.broadcast_to(three - two, len(part))[:, None]
    twice = np.stack([(first.unsure * column) @ second.unsure.T for column in weights.T], axis=-1)
    return np.asarray((base + moved[:, None] + twice).reshape(-1, part.shape[1]))
