from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.curate.quarantine import check_bad_share, write_quarantine
from shopglot.curate.read import Reading, read_pairs
from shopglot.curate.settings import CurateSettings
from tests.curate.files import category_row, json_lines


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """Twenty rows of which the third is bad."""
    rows = [category_row(number, label="yes" if number == 3 else 1) for number in range(1, 21)]
    return read_pairs([json_lines(tmp_path / "train.txt", rows)], CurateSettings())


def test_a_share_of_bad_rows_up_to_the_limit_is_fine(reading: Reading) -> None:
    check_bad_share(reading, 0.05)


def test_too_many_bad_rows_are_refused_with_the_first_reason_and_the_remedy(reading: Reading) -> None:
    with pytest.raises(DataError) as error:
        check_bad_share(reading, 0.049, Path("bad.jsonl"))
    message = str(error.value)
    for part in ("1 of 20 rows", "4.9%", "train.txt line 3", "the label yes", "bad.jsonl", "--max-bad-rows"):
        assert part in message


def test_the_quarantine_file_can_be_read_again(reading: Reading, tmp_path: Path) -> None:
    path = tmp_path / "out" / "quarantine.jsonl"
    write_quarantine(reading.quarantine, path)
    assert pl.read_ndjson(path).equals(reading.quarantine)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
