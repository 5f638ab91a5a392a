"""Random tables of pairs."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs

LANGUAGES = ("en", "es", "ja", "ko")
_SPELLINGS = ("lámp {}", "LAMP-{}", "lamp{}", "  Ｌamp   {}!")


@st.composite
def pairs_tables(draw: st.DrawFn, *, tasks: tuple[str, ...] = ("QC", "QI"), made: bool = False) -> Pairs:
    """Return pairs of 60 queries in four spellings, some with english, concept or label; ids are in no order.

    With `made`, some pairs of the second half are made from a pair of the first half, whose query they keep.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    half = draw(st.integers(60, 150), label="half of the rows")
    meant, labelled = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.sampled_from([0.5, 1.0]))
    ids = rng.permutation(2 * half).astype(str).tolist()
    rows: list[dict[str, str | int | None]] = []
    for number in range(2 * half):
        query, subtree, leaf, form, task = rng.integers(0, (60, 24, 3, len(_SPELLINGS), len(tasks))).tolist()
        parent = number - half if made and number >= half and rng.random() < 0.3 else None
        if parent is not None:
            query = rows[parent]["number"]
        rows.append(
            {
                "number": query,
                "id": ids[number],
                "task": tasks[task],
                "query": _SPELLINGS[form].format(query),
                "target": f"top {subtree % 4},sub {subtree}, and more,leaf {leaf}",
                "language": LANGUAGES[query % len(LANGUAGES)],
                "english": f"meaning {query // 2}" if rng.random() < meant else None,
                "concept": f"c{query // 3}" if rng.random() < meant else None,
                "label": int(rng.integers(0, 2)) if rng.random() < labelled else None,
                "made_from": None if parent is None else ids[parent],
            }
        )
    return Pairs.from_frame(pl.DataFrame(rows, infer_schema_length=None))
