"""Files read a chunk at a time say the same as files read whole."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError
from shopglot.curate.json_schema import json_schema
from shopglot.curate.raw import RawTable
from shopglot.curate.read import file_schema, raw_chunks
from tests.curate.files import json_lines

SIZES = (1, 7, 40, 300)
EVERY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole(path: Path) -> RawTable:
    return next(raw_chunks(path, None, schema=file_schema(path, None)))[0]


def in_chunks(path: Path, size: int, *, stop: int = 0) -> RawTable:
    """Return all chunks as one table; with `stop`, a new reader goes on after that many of them."""
    schema = file_schema(path, size)
    chunks = list(raw_chunks(path, size, schema=schema))
    if 0 < stop < len(chunks):
        chunks = [*chunks[:stop], *raw_chunks(path, size, chunks[stop - 1][1], schema)]
    tables = [table for table, _ in chunks]
    filled = [table for table in tables if table.rows.height] or tables[:1]
    return RawTable(
        str(path),
        pl.concat(table.rows for table in filled),
        pl.concat(table.lines for table in filled),
        pl.concat(table.texts for table in filled),
        pl.concat(table.broken for table in tables).sort("line"),
    )


def agree(one: RawTable, other: RawTable) -> None:
    assert one.rows.equals(other.rows)
    assert one.rows.height == 0 or one.rows.schema == other.rows.schema
    assert one.lines.equals(other.lines)
    assert one.texts.equals(other.texts)
    assert one.broken.sort("line").equals(other.broken)


VALUE = (
    st.none() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
)
FIELDS = {
    "number": st.none() | st.integers(0, 9) | st.floats(0, 9),
    "mixed": VALUE,
    "list": st.none() | st.lists(st.integers(0, 9), max_size=2) | st.lists(st.text("a", max_size=2), max_size=2),
    "object": st.none() | st.fixed_dictionaries({}, optional={"a": st.integers(0, 3), "b": st.text("xy", max_size=2)}),
}
OBJECT = st.fixed_dictionaries({}, optional=FIELDS).map(lambda row: json.dumps(row, ensure_ascii=False).encode())
ODD = st.sampled_from([b"", b"  ", b"{", b"null", b"[1]", b'{"mixed": "\xff"}', '{"mixed": "\ufffd"}'.encode()])


@EVERY
@given(st.lists(OBJECT | ODD, min_size=1, max_size=8), st.sampled_from(SIZES), st.integers(0, 5))
def test_json_lines_are_the_same_rows_in_chunks_of_any_size(
    tmp_path: Path, lines: list[bytes], size: int, stop: int
) -> None:
    path = json_lines(tmp_path / "a.jsonl", [b'{"first": 1}', *lines])
    try:
        expected = whole(path)
    except DataError:
        with pytest.raises(DataError):
            in_chunks(path, size)
        return
    agree(expected, in_chunks(path, size, stop=stop))
    assert expected.rows.to_dicts() == next(raw_chunks(path, None))[0].rows.to_dicts()


CELL = st.text(st.sampled_from('ab",\n \u00e9'), max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')
LINE = st.tuples(CELL, CELL).map(",".join)
BAD = st.sampled_from(['1,"open', "1", "1,2,3", "", '"a"b,c', "x,y", '5" pipe,x', "\udcff,a"])


@EVERY
@given(st.lists(LINE | BAD, max_size=8), st.sampled_from(SIZES), st.integers(0, 5), st.booleans())
def test_separated_fields_are_the_same_rows_in_chunks_of_any_size(
    tmp_path: Path, lines: list[str], size: int, stop: int, ended: bool
) -> None:
    path = tmp_path / "a.csv"
    text = "\n".join(['"the\nid",query', *lines]) + "\n" * ended
    path.write_bytes(text.encode(errors="surrogateescape"))
    agree(whole(path), in_chunks(path, size, stop=stop))


@pytest.mark.parametrize("size", [1, 300, 1_000, 10**6])
def test_parquet_is_the_same_rows_in_chunks_of_any_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(10), "tags": [[n] for n in range(10)]}).write_parquet(path, row_group_size=3)
    agree(whole(path), in_chunks(path, size))
    agree(whole(path), in_chunks(path, size, stop=2))


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_packed_file_is_read_on_from_the_middle(tmp_path: Path, suffix: str) -> None:
    path = json_lines(tmp_path / f"a{suffix}", [{"id": n} for n in range(20)])
    agree(whole(path), in_chunks(path, 25, stop=2))
    assert in_chunks(path, 25).lines.to_list() == list(range(1, 21))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2.5], pl.Float64()),
        ([2**53 + 1, 0.5], pl.String()),
        ([None, 1], pl.Int64()),
        ([1, "x"], pl.String()),
        ([[], ["x"], [1]], pl.List(pl.String())),
        ([{"a": 1}, {"b": None}], pl.Struct({"a": pl.Int64(), "b": pl.Null()})),
        ([2**70, 1], pl.Int128()),
    ],
)
def test_the_type_of_a_field_is_that_of_all_its_chunks(tmp_path: Path, values: list[Any], dtype: pl.DataType) -> None:
    path = json_lines(tmp_path / "a.jsonl", [{"field": value} for value in values])
    assert json_schema(path, 1) == pl.Schema({"field": dtype})
    assert whole(path).rows.schema == pl.Schema({"field": dtype})


def test_fields_stand_in_the_order_in_which_they_first_appear(tmp_path: Path) -> None:
    rows = ['{"b": 1, "d": {"z": 1}}', '{"c": 1, "b": 2, "d": {"a": 1, "z": 2}}', '{"a": [{"q": 1, "p": 2}]}']
    for size in (1, 30, 1_000):
        schema = json_schema(json_lines(tmp_path / "a.jsonl", rows), size)
        assert list(schema) == ["b", "d", "c", "a"]
        assert schema["d"] == pl.Struct({"z": pl.Int64(), "a": pl.Int64()})
        assert schema["a"] == pl.List(pl.Struct({"q": pl.Int64(), "p": pl.Int64()}))


def test_a_field_of_two_kinds_in_two_chunks_is_refused(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", [{"price": 1}, {"price": True}])
    with pytest.raises(DataError, match=r"a\.jsonl do not fit into one table: .*one of the lines 1, 2 on"):
        json_schema(path, 1)


def test_a_quote_that_is_never_closed_costs_its_own_row_in_whatever_chunk_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{n},tea" for n in range(25_000)]
    path.write_text("\n".join(["id,query", *rows[:500], '9,"tea', *rows[500:]]), encoding="utf-8")
    table = in_chunks(path, 60_000)
    assert table.rows["id"].to_list() == [str(n) for n in range(25_000)]
    assert table.broken["line"].to_list() == [502]
