"""Random tables of pairs."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs

LANGUAGES = ("en", "es", "ja", "ko")
_SPELLINGS = ("lámp {}", "LAMP-{}", "lamp{}", "  Ｌamp   {}!")


@st.composite
def pairs_tables(draw: st.DrawFn, *, tasks: tuple[str, ...] = ("QC", "QI"), made: bool = False) -> Pairs:
    """Return pairs of 60 queries in several spellings and languages, some with english or concept, some unlabelled.

    With `made`, some rows are made from others. Ids are in no order.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    rows = draw(st.integers(120, 300), label="rows")
    known, labelled = draw(st.sampled_from([0.0, 0.3, 1.0])), draw(st.sampled_from([0.5, 1.0]))
    query = rng.integers(0, 60, rows)
    subtree, leaf = rng.integers(0, 24, rows), rng.integers(0, 3, rows)
    task = rng.choice(tasks, rows)
    some = rng.random((3, rows))
    table = {
        "id": rng.permutation(rows).astype(str).tolist(),
        "task": task.tolist(),
        "query": [_SPELLINGS[form].format(q) for form, q in zip(rng.integers(0, 4, rows), query, strict=True)],
        "target": [
            f"top {s % 4},sub {s}, and more,leaf {f}" if t == "QC" else f"Title {s} no. {f}"
            for t, s, f in zip(task, subtree, leaf, strict=True)
        ],
        "language": [LANGUAGES[q % 4] for q in query],
        "english": [f"meaning {q // 2}" if chance < known else None for q, chance in zip(query, some[0], strict=True)],
        "concept": [f"c{q // 3}" if chance < known else None for q, chance in zip(query, some[1], strict=True)],
        "label": [int(q) if chance < labelled else None for q, chance in zip(rng.integers(0, 2, rows), some[2], strict=True)],
    }
    if made:
        originals = table["id"][: rows // 2]
        parents = rng.choice(originals, rows - rows // 2).tolist()
        table["made_from"] = [None] * len(originals) + [
            parent if chance < 0.3 else None for parent, chance in zip(parents, rng.random(len(parents)), strict=True)
        ]
    return Pairs.from_frame(pl.DataFrame(table))
