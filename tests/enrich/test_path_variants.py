import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.category import CategoryPath
from shopglot.enrich.path_variants import path_drops, path_suffixes
from tests.enrich.queries import pairs, some_draws

ROWS = 200
PATHS = st.lists(st.sampled_from(["food", "tea, loose", "pots", "7"]), min_size=1, max_size=16)


def suffixes(path: str) -> set[str | None]:
    return set(path_suffixes(pairs(["tea"] * ROWS, target=path).frame, some_draws(ROWS))["target"])


def drops(path: str) -> set[str | None]:
    return set(path_drops(pairs(["tea"] * ROWS, target=path).frame, some_draws(ROWS))["target"])


def test_a_suffix_lacks_top_levels_and_every_one_is_drawn() -> None:
    assert suffixes("food,tea, loose,green,sencha") == {"tea, loose,green,sencha", "green,sencha", "sencha"}
    assert suffixes("food") == {None}


def test_one_level_in_between_is_dropped_and_every_one_is_drawn() -> None:
    assert drops("food,tea, loose,green,sencha") == {"food,green,sencha", "food,tea, loose,sencha"}
    assert drops("food,tea") == drops("food") == {None}


@given(PATHS)
def test_the_leaf_stays_and_so_does_the_order(names: list[str]) -> None:
    path = CategoryPath(tuple(names))
    for target in suffixes(str(path)) - {None}:
        assert names[-len(CategoryPath.parse(str(target)).levels) :] == list(CategoryPath.parse(str(target)).levels)
    for target in drops(str(path)) - {None}:
        kept = list(CategoryPath.parse(str(target)).levels)
        assert kept in [names[:place] + names[place + 1 :] for place in range(1, len(names) - 1)]


def test_titles_are_no_paths() -> None:
    titles = pairs(["tea"] * ROWS, target="pot,red,tea").frame.with_columns(task=pl.lit("QI", pl.Enum(["QC", "QI"])))
    for change in (path_suffixes, path_drops):
        assert change(titles, some_draws(ROWS))["target"].null_count() == ROWS
