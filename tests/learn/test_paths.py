"""What is known of category paths before a query is asked."""

from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.jaccard import ngrams, overlap, words
from shopglot.learn.catalogue import ABSENT, Catalogue
from shopglot.learn.paths import Letters, Paths, RememberedPaths, shared, sorted_keys
from tests.learn.doubles import ByLetters

PATHS = ("food,tea,green tea", "food,tea,black tea", "home", "home,pots,wok", "home,pots,stock pot, large")
letters = st.text("ab é", max_size=8)


def remembered(paths: tuple[str, ...] = PATHS) -> tuple[RememberedPaths, ByLetters]:
    encoder = ByLetters()
    return RememberedPaths(encoder, Catalogue.of(paths, encoder)), encoder


@given(st.lists(st.tuples(letters, letters), min_size=1, max_size=12))
def test_shared_letters_and_words_are_those_that_the_overlap_of_texts_counts(texts: list[tuple[str, str]]) -> None:
    query, name = (pl.Series(list(side), dtype=pl.String) for side in zip(*texts, strict=True))
    rows = np.arange(len(texts))
    one, other = Letters.of(query), Letters.of(name)
    same = (partial(ngrams, size=3), one.grams, other.grams), (words, one.words, other.words)
    for members, mine, theirs in same:
        common = shared(mine, sorted_keys(theirs), rows)
        expected = overlap(query, name, members)
        contained = common / np.maximum(mine.lengths, 1)
        jaccard = common / np.maximum(mine.lengths + theirs.lengths - common, 1)
        assert contained.tolist() == pytest.approx(expected["contained"].to_list())
        assert jaccard.tolist() == pytest.approx(expected["jaccard"].to_list())


def test_a_path_of_one_level_has_no_parent_and_nothing_above() -> None:
    encoder = ByLetters()
    paths = Paths.of(["home", "home,pots,wok"], encoder, Catalogue.of(PATHS, encoder))
    assert paths.has_parent.tolist() == [False, True]
    assert paths.within[0] == ABSENT
    assert paths.above.lengths.tolist() == [0, 1]
    assert paths.depth.tolist() == [1, 3]


def test_each_path_is_looked_at_once() -> None:
    known, encoder = remembered()
    known.of(PATHS)
    asked = len(encoder.asked)
    paths, numbers = known.of(PATHS[::-1])
    assert len(encoder.asked) == asked
    assert [list(paths.numbers)[number] for number in numbers] == list(PATHS[::-1])


def test_a_path_is_the_same_whichever_others_are_known() -> None:
    one, _ = remembered()
    other, _ = remembered()
    other.of(PATHS[:3])
    (alone, number), (among, place) = one.of(PATHS[4:]), other.of(PATHS[4:])
    assert alone.vectors[alone.views[number[0]]].tolist() == among.vectors[among.views[place[0]]].tolist()
    for kind in ("siblings", "children", "uncles", "own"):
        lists = [getattr(paths.around, kind) for paths in (alone, among)]
        assert lists[0].take(number).values.tolist() == lists[1].take(place).values.tolist()


def test_a_few_new_paths_do_not_wait_for_all_to_be_joined() -> None:
    many = tuple(f"home,shelf {n},thing {n}" for n in range(60))
    known, encoder = remembered(many)
    known.of(many)
    encoder.asked.clear()
    paths, numbers = known.of(["home,new"])
    assert (list(paths.numbers), numbers.tolist()) == (["home,new"], [0])
    assert set(encoder.asked) == {"new", "home", "new, home"}
