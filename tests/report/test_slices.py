from collections.abc import Sequence

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.report.slices import derived_columns, rows_of_values


def pairs(task: str = "QC", **columns: Sequence[object]) -> Pairs:
    count = len(next(iter(columns.values())))
    row = {"query": ["tea"] * count, "target": ["food,tea"] * count, "language": ["en"] * count} | columns
    return Pairs.from_frame(pl.DataFrame({"task": [task] * count, **row}))


def values(table: Pairs, name: str, learned: Pairs | None = None) -> list[str]:
    return derived_columns(table, learned)[name].cast(pl.String).to_list()


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1))
def test_every_row_is_in_the_slice_of_its_value(column: list[str | None]) -> None:
    found = rows_of_values(pl.Series(column, dtype=pl.String))
    told = {int(row): value for value, rows in found.items() for row in rows}
    assert [told[row] for row in range(len(column))] == ["unknown" if value is None else value for value in column]
    assert sum(map(len, found.values())) == len(column)
    sizes = [len(rows) for rows in found.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_bands_stand_in_their_order_with_unknown_last() -> None:
    bands = pl.Series(["more", None, "more", "few"], dtype=pl.Enum(["few", "more"]))
    assert {value: rows.tolist() for value, rows in rows_of_values(bands).items()} == {
        "few": [3],
        "more": [0, 2],
        "unknown": [1],
    }


def test_a_slice_that_would_hold_all_pairs_is_left_out() -> None:
    assert derived_columns(pairs(query=["tea", "tea"]), None) == {}
    assert "script" in derived_columns(pairs(query=["tea", "чай"]), None)


def test_categories_are_told_by_depth_and_top_level_and_items_are_not() -> None:
    targets = ["food,flour, baking and cooking,flour", "food", "audio,headphones"]
    assert values(pairs(target=targets), "category_depth") == ["3", "1", "2"]
    assert values(pairs(target=targets), "top_category") == ["food", "food", "audio"]
    assert not {"category_depth", "top_category"} & set(derived_columns(pairs("QI", target=targets), None))


def test_the_busiest_queries_that_bear_a_third_of_the_traffic_are_the_head() -> None:
    query = ["a"] * 4 + ["b", "b", "c", "c"] + ["d", "e", "f", "g"]
    assert values(pairs(query=query), "traffic") == ["head"] * 4 + ["torso"] * 4 + ["tail"] * 4


def test_weights_are_traffic() -> None:
    assert values(pairs(query=["a", "b", "c"], weight=[1.0, 9.0, 1.0]), "traffic") == ["tail", "torso", "tail"]


def test_queries_without_any_traffic_are_no_slices() -> None:
    assert "traffic" not in derived_columns(pairs(query=["a", "b"], weight=[0.0, 0.0]), None)


def test_the_generalisation_matrix_says_what_training_had() -> None:
    learned = pairs(query=["Écouteurs", "tea"], target=["audio,headphones", "food,tea"], language=["fr", "en"])
    table = pairs(
        query=["ecouteurs", "coffee", "tea", "kaffee"],
        target=["audio,headphones", "food,tea", "food,coffee", "food,coffee"],
        language=["fr", "en", "en", "de"],
    )
    assert values(table, "seen_in_training", learned) == [
        "seen query, seen category, seen language",
        "new query, seen category, seen language",
        "seen query, new category, seen language",
        "new query, new category, new language",
    ]


def test_the_pairs_of_another_task_were_not_seen() -> None:
    learned = Pairs.concat([pairs("QI", query=["tea"]), pairs("QC", query=["coffee"])])
    told = values(pairs("QI", query=["tea", "coffee"], target=["cup", "mug"]), "seen_in_training", learned)
    assert told == ["seen query, new item, seen language", "new query, new item, seen language"]


def test_a_query_is_noisy_when_training_knows_a_more_frequent_spelling() -> None:
    learned, table = pairs(query=["écouteurs"] * 2), pairs(query=["ecouteurs", "thé"])
    assert values(table, "noise", learned) == ["rarer spelling", "none found"]
