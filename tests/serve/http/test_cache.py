from hypothesis import given
from hypothesis import strategies as st

from shopglot.serve.http.cache import ScoredPairs
from shopglot.serve.http.question import Question, Verdict


def question(name: str) -> Question:
    return Question("QI", name, "tea")


@given(st.lists(st.text(max_size=30), max_size=60), st.integers(0, 5000))
def test_the_size_is_never_passed_and_what_is_held_is_right(names: list[str], size: int) -> None:
    cache = ScoredPairs(size)
    for name in names:
        cache.keep(question(name), Verdict(len(name), 0.5, None))
        assert cache.held <= size
    for name in names:
        found = cache.get(question(name))
        assert found is None or found.probability == len(name)
    assert (len(cache) == 0) == (cache.held == 0)


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = ScoredPairs(3 * 520)
    for name in "abc":
        cache.keep(question(name), Verdict(0.5, 0.5, None))
    assert cache.get(question("a"))
    cache.keep(question("d"), Verdict(0.5, 0.5, None))
    assert [name for name in "abcd" if cache.get(question(name))] == ["a", "c", "d"]


def test_pairs_that_differ_in_anything_are_told_apart() -> None:
    cache = ScoredPairs(100_000)
    cache.keep(question("a"), Verdict(0.5, 0.5, None))
    for other in (question("a")._replace(task="QC"), question("a")._replace(language="de"), question("A")):
        assert cache.get(other) is None
