from pathlib import Path

import pytest

from shopglot.core.errors import DataError
from shopglot.curate.separated import read_separated
from tests.curate.files import text_file

ROWS = [f"{number},tea,1" for number in range(100)]


def test_an_unclosed_quote_costs_its_own_row_alone(tmp_path: Path) -> None:
    table = read_separated(text_file(tmp_path / "a.csv", "id,query,label", *ROWS, '3,"tea,1', *ROWS), ",")
    assert table.rows["id"].to_list() == [str(number) for number in range(100)] * 2
    assert table.lines.to_list() == [*range(2, 102), *range(103, 203)]
    assert table.broken.select("line", "text").rows() == [(102, '3,"tea,1')]


def test_every_line_of_many_unclosed_quotes_is_set_aside_or_read(tmp_path: Path) -> None:
    lines = ['1,"tea,1', '2,"mug,1', "3,cup,1", '4,"two\nlines",1', '5,"end,1']
    table = read_separated(text_file(tmp_path / "a.csv", "id,query,label", *lines), ",")
    assert table.rows["query"].to_list() == ["cup", "two\nlines"]
    assert table.broken["line"].to_list() == [2, 3, 7]


def test_a_field_that_is_too_long_is_called_so(tmp_path: Path) -> None:
    table = read_separated(text_file(tmp_path / "a.csv", "id,query", "1", f"2,{'x' * 140_000}"), ",")
    assert "field larger than field limit" in table.broken["reason"][1]


@pytest.mark.parametrize("header", [b'"', "id,th\xe9".encode("latin-1"), b'id,"query'])
def test_a_header_that_cannot_be_read_is_refused_rather_than_the_next_row_taken_for_it(
    tmp_path: Path, header: bytes
) -> None:
    (tmp_path / "a.csv").write_bytes(header + b"\n1,tea\n2,mug\n")
    with pytest.raises(DataError, match=r"the header of .*a\.csv cannot be read: .*UTF-8"):
        read_separated(tmp_path / "a.csv", ",")
