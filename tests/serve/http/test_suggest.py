from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shopglot.serve.http.letters import LetterIndex
from shopglot.serve.http.question import Verdict
from shopglot.serve.http.suggest import Suggester, consistent, with_ancestors
from tests import shop


class Letters:
    """Texts to unit vectors of how often each Latin letter is in them."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        return np.asarray(counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1), np.float32)


@pytest.fixture(scope="module", params=[None, Letters()], ids=["letters alone", "with vectors"])
def suggester(request: pytest.FixtureRequest) -> Suggester:
    return Suggester.of(shop.PATHS, request.param)


@pytest.mark.parametrize("path", shop.PATHS)
def test_a_leaf_is_among_the_first_for_its_own_name(suggester: Suggester, path: str) -> None:
    leaf = next(leaf for leaves in shop.SHELVES.values() for leaf in leaves if path.endswith(f",{leaf}"))
    assert path in suggester.candidates([leaf], 3)


@given(st.text(max_size=40))
def test_only_nodes_of_the_tree_are_answered_each_once(text: str) -> None:
    tree = Suggester.of(shop.PATHS, None)
    found = tree.candidates([text], 5)
    assert len(found) == len(set(found)) <= 5
    assert set(found) <= set(tree.paths)


def test_what_shares_nothing_with_the_tree_finds_nothing() -> None:
    assert Suggester.of(shop.PATHS, None).candidates(["ۆ"], 5) == []


def test_a_tree_without_a_node_finds_nothing() -> None:
    assert Suggester.of([], None).candidates(["tea"], 5) == []


def test_a_category_above_can_be_meant_too(suggester: Suggester) -> None:
    assert "food,coffee" in suggester.candidates(["coffee"], 5)


def test_a_translation_finds_what_the_query_does_not(suggester: Suggester) -> None:
    assert "food,tea,green tea" in suggester.candidates(["緑茶", "green tea"], 3)


def test_the_categories_above_are_named_once_below_what_they_are_above_of() -> None:
    assert with_ancestors(["a,b,c", "a,b"]) == ["a,b,c", "a,b", "a"]


def test_of_two_equal_leaves_the_one_in_the_likelier_branch_is_first() -> None:
    probabilities = {"food,tea": 0.8, "food": 0.9, "home,tea": 0.8, "home": 0.1, "sports": 0.81}
    verdicts = {path: Verdict(each, 0.5, None) for path, each in probabilities.items()}
    found = consistent(["home,tea", "sports", "food,tea"], verdicts)
    assert [each.path for each in found] == ["food,tea", "sports", "home,tea"]


def test_a_rare_run_of_letters_counts_for_more_than_a_common_one() -> None:
    names = ["green tea", "black tea", "white tea", "green wok"]
    index = LetterIndex.of(names, names)
    similar = index.similar("wok tea")
    assert int(similar.argmax()) == 3
    assert index.similar("xyz").tolist() == [0.0] * 4
