import numpy as np
import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.judged import Judged
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs

PAIRS = Pairs.of([Pair(task="QC", query="tea", target="food,tea", label=1), Pair(task="QC", query="a", target="b")])
LABELLED = PAIRS.labelled


def test_columns_of_another_length_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"judges 1 pairs, but decision has shape \(2,\) and fold has shape \(3,\)"):
        Judged("dev", LABELLED, np.ones(1), np.ones(2, dtype=np.bool_), pl.Series(["0", "0", "1"]))


def test_pairs_without_a_label_are_refused() -> None:
    with pytest.raises(DataError, match="'dev' has pairs without a label"):
        Judged("dev", PAIRS, np.ones(2), np.ones(2, dtype=np.bool_), None)


def test_columns_of_the_right_length_are_accepted() -> None:
    assert len(Judged("test", LABELLED, np.ones(1), np.ones(1, dtype=np.bool_), None).pairs) == 1
