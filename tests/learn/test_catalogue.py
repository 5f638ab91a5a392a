"""The features of the catalogue against a slow and obvious way to compute them."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.category import CategoryPath, Taxonomy
from shopglot.learn.catalogue import ABSENT, FEATURES, NEAREST, TEMPERATURE, Catalogue, Floats, catalogue_features
from tests.learn.doubles import ByLetters

ENCODER = ByLetters()
NAMES = ("tea", "green tea", "pots, pans", "garden", "toys", "dolls", "tea sets")


def slow_features(paths: Iterable[str], query: str, target: str) -> list[float]:
    """Return the features of one query and one path, each as its name says."""
    tree = Taxonomy.of(paths)
    names = sorted({node.leaf for node in tree.paths})
    cosine = {name: _cosine(query, name) for name in names}
    path = CategoryPath.parse(target)
    over = path.parent
    siblings = {node.leaf for node in tree.children(over) if node != path}
    children = {node.leaf for node in tree.children(path)}
    uncles = {node.leaf for node in tree.children(over.parent) if node != over} if over else set[str]()
    leaf, parent = _cosine(query, path.leaf), _cosine(query, over.leaf) if over else ABSENT
    nearest = sorted(names, key=lambda name: -cosine[name])[:NEAREST]
    others = [ABSENT if name in path.levels else cosine[name] for name in nearest] or [ABSENT]
    others.sort(reverse=True)
    best_sibling, best_child, best_uncle = (
        max((cosine[name] for name in around), default=ABSENT) for around in (siblings, children, uncles)
    )
    rest = sum(_term(cosine[name]) for name in names if name not in path.levels)
    whole = rest + _term(leaf) + _term(parent)
    return [
        best_sibling,
        leaf - best_sibling if siblings else 1.0,
        sum(cosine[name] > leaf for name in siblings),
        len(siblings),
        best_child,
        leaf - best_child if children else 1.0,
        best_uncle,
        parent - best_uncle if uncles else 1.0,
        others[0],
        leaf - others[0],
        others[0] - others[min(4, len(others) - 1)],
        others[0] - others[min(19, len(others) - 1)],
        np.log1p(sum(other > leaf for other in others)),
        parent - others[0],
        np.log1p(sum(other > parent for other in others)),
        _term(leaf) / whole,
        _term(parent) / whole,
        bool(siblings) and best_sibling >= others[0] - 1e-6,
    ]


def fast_features(paths: Iterable[str], rows: list[tuple[str, str]]) -> Floats:
    """Return the same for many rows at once, as the learner asks for them."""
    catalogue = Catalogue.of(paths, ENCODER)
    queries, targets = sorted({query for query, _ in rows}), sorted({target for _, target in rows})
    cosines = [[_cosine(query, CategoryPath.parse(target).leaf), _of_parent(query, target)] for query, target in rows]
    return catalogue_features(
        catalogue,
        ENCODER.encode(queries),
        np.array([queries.index(query) for query, _ in rows]),
        catalogue.relatives(pl.Series(targets, dtype=pl.String)),
        np.array([targets.index(target) for _, target in rows]),
        np.array(cosines, dtype=np.float32),
    )


paths_of_a_shop = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(",".join), min_size=0, max_size=25
)


@given(paths_of_a_shop, st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 99)), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None)
def test_the_features_are_those_of_the_slow_way(paths: list[str], drawn: list[tuple[str, int]]) -> None:
    shown = [*paths, "toys,new shelf,doll", "toys,dolls", "unheard of"]
    rows = [(query, shown[number % len(shown)]) for query, number in drawn]
    expected = [slow_features(paths, query, target) for query, target in rows]
    np.testing.assert_allclose(fast_features(paths, rows), expected, atol=2e-5)


def test_a_query_that_means_a_level_above_the_parent_leaves_no_rounding_in_the_shares() -> None:
    paths, rows = ["tea,dolls,dolls", "green tea"], [("tea", "tea,dolls,dolls"), ("green tea", "tea,dolls,dolls")]
    expected = [slow_features(paths, *row) for row in rows]
    np.testing.assert_allclose(fast_features(paths, rows), expected, atol=2e-5)


def test_the_features_of_a_catalogue_with_more_names_than_are_looked_at_are_those_of_the_slow_way() -> None:
    paths = [f"top {n % 5},shelf {n % 17},leaf {n}" for n in range(150)]
    rows = [(f"query {n}", paths[(7 * n) % 150]) for n in range(60)]
    expected = [slow_features(paths, query, target) for query, target in rows]
    np.testing.assert_allclose(fast_features(paths, rows), expected, atol=2e-5)


def test_a_path_outside_the_catalogue_is_judged_beside_what_would_be_its_siblings() -> None:
    features = _named(["food,tea", "food,coffee"], "tea", "food,juice")
    assert features["siblings"] == 2
    assert features["best sibling"] == pytest.approx(1.0)
    assert features["best child"] == ABSENT


@pytest.mark.parametrize("paths", [[], ["food"]])
def test_in_a_catalogue_of_nothing_else_nothing_stands_beside_a_path(paths: list[str]) -> None:
    features = _named(paths, "a query", "food")
    assert [features[name] for name in ("best sibling", "best child", "best uncle", "nearest other")] == [ABSENT] * 4
    assert features["leaf share"] == pytest.approx(1.0)
    assert features["siblings"] == features["others above leaf"] == features["nearest is sibling"] == 0


def test_ancestors_are_nodes_and_every_name_is_encoded_once() -> None:
    encoder = ByLetters()
    catalogue = Catalogue.of(["food,tea,green, loose", "food,tea", "home,tea"], encoder)
    assert catalogue.nodes["path"].to_list() == ["food", "food,tea", "food,tea,green, loose", "home", "home,tea"]
    assert sorted(encoder.asked) == ["food", "green, loose", "home", "tea"]


def test_the_order_of_the_paths_changes_nothing() -> None:
    paths = [f"top {n % 3},leaf {n}" for n in range(12)]
    rows = [("query", path) for path in paths]
    assert fast_features(paths, rows).tolist() == fast_features(paths[::-1], rows).tolist()


def _named(paths: list[str], query: str, target: str) -> dict[str, float]:
    return dict(zip(FEATURES, fast_features(paths, [(query, target)])[0].tolist(), strict=True))


@cache
def _cosine(one: str, other: str) -> float:
    first, second = ENCODER.encode([one, other])
    return float(first @ second)


def _of_parent(query: str, target: str) -> float:
    parent = CategoryPath.parse(target).parent
    return _cosine(query, parent.leaf) if parent else ABSENT


def _term(cosine: float) -> float:
    return float(np.exp((cosine - 1) / TEMPERATURE))
