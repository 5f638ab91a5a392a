from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from shopglot.report.facts import fact_tables
from shopglot.report.sections import Table

words = st.text("abc_.", min_size=1, max_size=4)
facts = st.dictionaries(
    words,
    st.recursive(words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)),
    max_size=4,
)


def leaves(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)


def cells(tables: list[Table]) -> list[str]:
    return [part for table in tables for row in table.rows for cell in row.cells for part in cell.split("; ")]


@given(facts)
def test_every_fact_stands_in_a_table_whose_rows_are_as_wide_as_its_head(tree: dict[str, JsonValue]) -> None:
    tables = fact_tables("run", tree)
    shown = cells(tables)
    assert all(shown.count(leaf) >= list(leaves(tree)).count(leaf) for leaf in leaves(tree))
    assert all(len(row.cells) + 1 == len(table.columns) for table in tables for row in table.rows)


def test_figures_are_written_for_people() -> None:
    (table,) = fact_tables("run", {"rows": 29135, "label_rate": 0.68912, "simulated": False, "torch": None, "keys": []})
    assert [(row.name, *row.cells) for row in table.rows] == [
        ("rows", "29,135"),
        ("label rate", "0.6891"),
        ("simulated", "no"),
        ("torch", "–"),
        ("keys", "–"),
    ]


def test_maps_of_the_same_kind_share_one_table_and_what_one_lacks_is_a_dash() -> None:
    (table,) = fact_tables("parts", {"0": {"rows": 3, "coverage": 0.5}, "tune": {"rows": 1}})
    assert table.columns == ("name", "rows", "coverage")
    assert [row.cells for row in table.rows] == [("3", "0.5"), ("1", "–")]


def test_the_name_of_a_file_stays_as_it_is() -> None:
    (table,) = fact_tables("files", {"train_QC.txt": "9f86"})
    assert table.rows[0].name == "train_QC.txt"
