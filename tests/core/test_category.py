import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.category import MAX_DEPTH, CategoryPath, Taxonomy, levels
from shopglot.core.errors import DataError

names = st.from_regex(r"[a-z&éß]{1,6}((, | )[a-z&éß]{1,6}){0,3}", fullmatch=True)
paths = st.lists(names, min_size=1, max_size=MAX_DEPTH).map(tuple).map(CategoryPath)


@given(paths)
def test_a_written_path_reads_back_as_itself(path: CategoryPath) -> None:
    assert CategoryPath.parse(str(path)) == path


@given(st.lists(paths, min_size=1, max_size=8))
def test_the_columnar_split_agrees_with_the_parser(some: list[CategoryPath]) -> None:
    split = pl.DataFrame({"path": [str(path) for path in some]}).select(levels(pl.col("path"))).to_series().to_list()
    assert [tuple(names) for names in split] == [path.levels for path in some]


@given(st.lists(paths, min_size=1, max_size=8))
def test_a_taxonomy_has_every_ancestor_and_reaches_every_node_from_the_top(some: list[CategoryPath]) -> None:
    taxonomy = Taxonomy.of(some)
    assert all(ancestor in taxonomy for path in some for ancestor in path.ancestors())
    reached, waiting = set(), list(taxonomy.children(None))
    while waiting:
        node = waiting.pop()
        reached.add(node)
        waiting.extend(taxonomy.children(node))
    assert reached == taxonomy.paths


def test_a_comma_before_a_space_belongs_to_the_name() -> None:
    assert CategoryPath.parse("food,grocery,flour, baking and cooking").leaf == "flour, baking and cooking"


@pytest.mark.parametrize("text", ["", "a,,b", "a,", ",a", ",".join("a" * (MAX_DEPTH + 1))])
def test_a_path_with_an_empty_level_or_too_many_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        CategoryPath.parse(text)


def test_siblings_share_the_parent_and_leave_the_node_out() -> None:
    taxonomy = Taxonomy.of(["food,tea,green", "food,tea,black", "food,coffee"])
    assert taxonomy.siblings(CategoryPath.parse("food,tea,green")) == (CategoryPath.parse("food,tea,black"),)


def test_a_path_is_within_itself_and_its_ancestors_only() -> None:
    path = CategoryPath.parse("food,tea,green")
    assert path.is_within(path)
    assert path.is_within(CategoryPath.parse("food"))
    assert not path.is_within(CategoryPath.parse("food,te"))
