from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal

from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings
from shopglot.fold.store import load_folds, save_folds
from tests.strategies import pairs_tables


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs_tables())
def test_folds_are_read_back_as_they_were_written(tmp_path: Path, pairs: Pairs) -> None:
    how = FoldSettings(folds=2, tune=0, test=0, qc="query")
    folds = deal(pairs, how, 0)
    save_folds(folds, tmp_path / "folds")
    again = load_folds(tmp_path / "folds")
    assert_frame_equal(again.groups, folds.groups)
    assert again.parts.keys() == folds.parts.keys()
    assert (again.trains(pairs, "1") == folds.trains(pairs, "1")).all()
    assert_frame_equal(deal(pairs, how, 1, again).parts["query"], folds.parts["query"])


@pytest.mark.parametrize("missing", ["folds.json", "groups.parquet", "query.parquet"])
def test_a_folder_without_a_file_is_refused_by_its_name(tmp_path: Path, missing: str) -> None:
    pairs = Pairs.from_frame(pl.DataFrame({"task": ["QI"] * 9, "query": list("abcdefghi"), "target": ["t"] * 9}))
    save_folds(deal(pairs, FoldSettings(tune=0, test=0), 0), tmp_path / "folds")
    (tmp_path / "folds" / missing).unlink()
    with pytest.raises(DataError, match=missing):
        load_folds(tmp_path / "folds")
