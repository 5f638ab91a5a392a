from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.serve.machines.units import parquet_files, units


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 12))
def test_each_row_is_in_one_unit_and_units_follow_the_rows(heights: list[int], most: int) -> None:
    cut = units(heights, most)
    rows = [(unit.file, row) for unit in cut for row in range(unit.start, unit.stop)]
    assert rows == [(file, row) for file, height in enumerate(heights) for row in range(height)]
    assert [unit.number for unit in cut] == list(range(len(cut)))
    assert all(unit.stop - unit.start <= most for unit in cut)


def test_a_folder_stands_for_its_parquet_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    for name in ("b.parquet", "a.parquet", "_SUCCESS"):
        pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "pairs" / name)
    found = parquet_files([tmp_path / "pairs" / "b.parquet", tmp_path / "pairs"])
    assert [path.name for path in found] == ["b.parquet", "a.parquet", "b.parquet"]
    assert all(path.is_absolute() for path in found)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "there is no file or folder .*absent; check the path"),
        ("empty", "empty has no file whose name ends in .parquet"),
        ("pairs.csv", r"pairs\.csv is not Parquet, which --engine ray reads"),
    ],
)
def test_what_holds_no_parquet_is_refused_by_name(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pairs.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(DataError, match=said):
        parquet_files([tmp_path / name])
