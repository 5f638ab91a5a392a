from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import DataError
from shopglot.curate.json_lines import read_json_lines
from tests.curate.files import Row, category_row, json_lines

LARGE = 2**53


@pytest.mark.parametrize("name", ["id", "price"])
def test_whole_numbers_stay_apart_beside_a_fraction_that_would_make_them_one(tmp_path: Path, name: str) -> None:
    rows: list[Row] = [{name: LARGE}, {name: LARGE + 1}, {name: 1.5}]
    table = read_json_lines(json_lines(tmp_path / "a.txt", rows))
    assert table.rows[name].to_list() == [str(LARGE), str(LARGE + 1), "1.5"]


def test_numbers_that_a_float_can_hold_stay_numbers(tmp_path: Path) -> None:
    rows: list[Row] = [{"id": LARGE + 1, "price": 2}, {"id": LARGE, "price": 1.5}]
    assert read_json_lines(json_lines(tmp_path / "a.txt", rows)).rows.to_dicts() == rows


def test_half_a_surrogate_pair_is_set_aside_rather_than_read_as_another_character(tmp_path: Path) -> None:
    lines = ['{"id": "a\\ud83d\\ude00"}', '{"id": "a\\ud83d"}', '{"id": "\\\\ud83d"}']
    table = read_json_lines(json_lines(tmp_path / "a.txt", lines))
    assert table.rows["id"].to_list() == ["a\U0001f600", "\\ud83d"]
    assert table.broken.select("line", "reason").rows() == [(2, "half a surrogate pair is no character")]


@pytest.mark.parametrize("lines", [["[", '{"id": 1},', '{"id": 2}', "]"], ["", ' [{"id": 1}]']])
def test_a_json_array_is_refused_by_its_name(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(DataError, match=r"a\.txt is one JSON array"):
        read_json_lines(json_lines(tmp_path / "a.txt", lines))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None, 3, {"a": 1}], "'price' is an object in line 3 and a text or number in line 2"),
        ([{"a": 1}, 3], "'price' is a text or number in line 2 and an object in line 1"),
        ([{"a": 1}, [1]], "'price' is a list in line 2 and an object in line 1"),
        ([1, True], "'price' is a truth value in line 2 and a text or number in line 1"),
    ],
)
def test_a_field_of_two_kinds_is_named_with_its_lines(tmp_path: Path, values: list[Any], said: str) -> None:
    path = json_lines(tmp_path / "a.txt", [category_row(price=value) for value in values])
    with pytest.raises(DataError, match=said):
        read_json_lines(path)
