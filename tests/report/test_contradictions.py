from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.category import CategoryPath
from shopglot.core.pair import Pair, Task
from shopglot.core.pairs import Pairs
from shopglot.report.contradictions import votes

PATHS = ("home", "home,tea", "home,tea,pots", "home,tea, loose", "garden,tea")


def pair(number: int, query: str, target: str, label: int, task: Task = "QC", **more: Any) -> Pair:
    return Pair(task=task, query=query, target=target, label=label, id=str(number), **more)


@pytest.mark.parametrize(
    "other",
    [
        pair(2, "TEA-POT", "home,tea", 0),
        pair(2, "théière", "home,tea", 0, english="tea pot"),
        pair(2, "théière", "home,tea", 0, concept="c1"),
    ],
    ids=["spelling", "english", "concept"],
)
def test_one_query_in_two_spellings_or_languages_contradicts_itself(other: Pair) -> None:
    found = votes(Pairs.of([pair(1, "tea pot", "home,tea", 1, concept="c1"), other]))
    assert found["twin"].to_list() == ["2", "1"]
    assert found.select("for_relevant", "for_irrelevant").rows() == [(0, 1), (1, 0)]


def test_an_irrelevant_child_and_a_relevant_parent_say_nothing() -> None:
    found = votes(Pairs.of([pair(1, "tea", "home,tea", 1), pair(2, "tea", "home,tea,pots", 0)]))
    assert found.rows() == [(0, 0, None, None, None)] * 2


def test_titles_contradict_each_other_in_any_spelling_and_never_a_category() -> None:
    titles = [
        pair(n, "tea", title, n % 2, task="QI") for n, title in enumerate(["Green Tea", "green-tea", "Black Tea"])
    ]
    found = votes(Pairs.of([*titles, pair(3, "tea", "green tea", 0)]))
    assert found["twin"].to_list() == ["1", "0", None, None]


rows = st.lists(
    st.tuples(st.sampled_from(["tea", "Téa", "pot"]), st.sampled_from(PATHS), st.sampled_from([0, 1])), max_size=12
)


@given(rows)
def test_votes_are_those_that_a_count_by_hand_finds(given: list[tuple[str, str, int]]) -> None:
    said = [(query.lower().replace("é", "e"), CategoryPath.parse(path), label) for query, path, label in given]

    def votes_for(row: int) -> tuple[int, int]:
        query, path, _ = said[row]
        related = [(at, label) for n, (other, at, label) in enumerate(said) if n != row and other == query]
        relevant = sum(label == 1 and at.is_within(path) for at, label in related)
        return relevant, sum(label == 0 and path.is_within(at) for at, label in related)

    found = votes(Pairs.of(pair(n, *row) for n, row in enumerate(given)))
    assert found.select("for_relevant", "for_irrelevant").rows() == [votes_for(row) for row in range(len(given))]
