import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as oracle

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.fold.group import connected_components, group_pairs, subtree
from shopglot.fold.settings import FoldSettings


def queries(*pairs: Pair) -> list[str]:
    return group_pairs(Pairs.of(pairs), FoldSettings())["query"].to_list()


def qc(query: str, target: str = "a,b", **known: str) -> Pair:
    return Pair(task="QC", query=query, target=target, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spellings",
    [
        ("écouteurs sans-fil", "ECOUTEURS SANS FIL", "e\u0301couteurs  sansfil!"),
        ("żółta łódź", "zolta lodz"),
        ("Straße", "STRASSE"),
        ("ﾜｲﾔﾚｽ イヤホン", "ワイヤレスイヤホン"),
        ("ＵＳＢ　ケーブル", "usb ケーブル"),
        ("هَدِيَّة", "هدية"),
        ("1/2 inch", "½ inch"),
    ],
)
def test_all_spellings_of_a_query_are_one_group(spellings: tuple[str, ...]) -> None:
    assert len(set(queries(*map(qc, spellings)))) == 1


@pytest.mark.parametrize(("one", "other"), [("ขาว", "ข่าว"), ("か", "が"), ("red", "rad"), ("%", "&"), ("तल", "ताल")])
def test_other_words_are_other_groups(one: str, other: str) -> None:
    assert len(set(queries(qc(one), qc(other)))) == 2


def test_translations_are_one_group_through_english_through_concept_and_through_each_other() -> None:
    found = queries(
        qc("headphones"),
        qc("écouteurs", english="Headphones"),
        qc("auriculares", english="headphones", concept="c1"),
        qc("ヘッドホン", concept="c1"),
        qc("kopfhörer"),
    )
    assert len(set(found[:4])) == 1
    assert found[4] != found[0]


def test_both_tasks_share_the_groups_of_queries() -> None:
    one, other = queries(qc("Tea"), Pair(task="QI", query="tea", target="Green Tea 100g"))
    assert one == other


def test_an_empty_english_concept_or_query_joins_nothing() -> None:
    found = queries(
        qc("a", english=" ", concept=""), qc("b", english="", concept=" "), qc("", english="a"), qc("", english="b")
    )
    assert len(set(found[:2])) == 2
    assert found[2] == found[3] == ""


def test_a_made_pair_is_in_the_group_of_its_parent() -> None:
    parent = qc("coffee", id="p")
    made = qc("café", id="m", made_from="p")
    assert len(set(queries(parent, made, qc("Cafe", id="o")))) == 1


def test_categories_are_grouped_by_their_first_levels() -> None:
    targets = ("food,flour, baking,wheat", "Food,flour, baking,rye", "food,flour", "food", "food,tea")
    groups = group_pairs(Pairs.of(qc(target, target) for target in targets), FoldSettings(qc="category"))
    expected = ["food,flour, baking", "food,flour, baking", "food,flour", "food", "food,tea"]
    assert groups["category"].to_list() == expected
    assert groups["query"].null_count() == len(targets)


@given(
    st.lists(st.lists(st.sampled_from(["tea", "a, b", "x,  y", "ö"]), min_size=1, max_size=4), min_size=1),
    st.integers(1, 5),
)
def test_a_subtree_is_the_prefix_of_the_path(paths: list[list[str]], depth: int) -> None:
    texts = [",".join(path) for path in paths]
    expected = [str(CategoryPath.parse(text).prefix(depth)) for text in texts]
    assert pl.DataFrame({"path": texts}).select(subtree(pl.col("path"), depth)).to_series().to_list() == expected


def test_titles_are_the_categories_of_items() -> None:
    pairs = Pairs.of(
        [Pair(task="QI", query=q, target=t) for q, t in (("a", "Tea-Pot"), ("b", "tea pot"), ("c", "Pot"))]
    )
    groups = group_pairs(pairs, FoldSettings(qi="both"))["category"].to_list()
    assert groups[0] == groups[1] != groups[2]


def test_a_key_is_null_for_the_task_it_does_not_apply_to() -> None:
    pairs = Pairs.of([qc("tea", language="en"), Pair(task="QI", query="tea", target="x", language="fr")])
    groups = group_pairs(pairs, FoldSettings(qc="category", qi="language"))
    assert groups.select(pl.exclude("id")).rows() == [("a,b", None, None, None), (None, "fr", None, "tea")]


def test_a_made_pair_has_no_group_that_no_original_has() -> None:
    pairs = Pairs.of([qc("tea", "a,b", id="1", language="en"), qc("thé", "c,d", id="2", made_from="1", language="fr")])
    made = group_pairs(pairs, FoldSettings()).row(1, named=True)
    assert made["category"] is None
    assert made["query"] == "tea"
    assert group_pairs(pairs, FoldSettings(qc="language"))["language"].to_list() == ["en", None]


@pytest.mark.parametrize("parent", ["unknown", "made"])
def test_a_pair_made_from_no_original_is_refused(parent: str) -> None:
    pairs = Pairs.of([qc("a", id="1"), qc("b", id="made", made_from="1"), qc("c", id="2", made_from=parent)])
    with pytest.raises(DataError, match=f"'2' was made from '{parent}'"):
        group_pairs(pairs, FoldSettings())


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_connected_components_are_those_of_scipy(graph: tuple[int, list[tuple[int, int]]]) -> None:
    nodes, edges = graph
    left, right = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    found = connected_components(left, right, nodes)
    _, expected = oracle(coo_array((np.ones(len(edges)), (left, right)), shape=(nodes, nodes)), directed=False)
    smallest = [int(np.flatnonzero(expected == label)[0]) for label in expected]
    assert found.tolist() == smallest


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(100_000)
    assert not connected_components(order[:-1], order[1:], len(order)).any()
