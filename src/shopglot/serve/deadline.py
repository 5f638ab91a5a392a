"""One request within a deadline: the first stage decides all pairs, later ones the least sure that still fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import polars as pl

from shopglot.core.log_odds import logit
from shopglot.core.pairs import Pairs
from shopglot.merge.decide import Decided
from shopglot.serve.cascade import Cascade, Rows, merged
from shopglot.serve.stage_cost import Cost


@dataclass(frozen=True, eq=False, slots=True)
class Deadline:
    """A cascade that answers a request in time.

    `costs` are those of the stages. What a later stage decides depends on how many pairs are asked at once and on how
    busy the machine is, so that this is for an online filter and never for files.
    """

    cascade: Cascade
    costs: Sequence[Cost]
    seconds: float

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return what is decided about these clean pairs by the stages that there was time for.

        A stage is asked the pairs that the one before was unsure of, the nearest to their threshold first, as many as
        it can answer before the deadline with none of their texts known; the others keep the decision they have.
        """
        start = perf_counter()
        first, *later = self.cascade.stages
        decided = self.cascade.first(pairs)
        waiting = np.flatnonzero(first.passes_on(pairs, decided))
        for stage, cost in zip(later, self.costs[1:], strict=True):
            left = self.seconds - (perf_counter() - start)
            rows = _nearest(decided, waiting, int(left / (cost.pair + 2 * cost.text)))
            if not len(rows):
                break
            asked = Pairs(pairs.frame[rows])
            answered = stage.decider.score_clean(asked)
            decided = merged(decided, rows, answered, stage.name)
            waiting = rows[stage.passes_on(asked, answered)]
        return decided
