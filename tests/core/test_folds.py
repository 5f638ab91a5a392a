import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs


def row(pair_id: str, made_from: str | None = None) -> Pair:
    return Pair(task="QC", query="q", target="t", id=pair_id, made_from=made_from)


def folds(groups: dict[str, tuple[str | None, str | None]], **parts: dict[str, str]) -> Folds:
    """Return two folds; `groups` gives each pair's query and category, `parts` the part of each group per key."""
    columns = {
        "id": list(groups),
        "query": [g[0] for g in groups.values()],
        "category": [g[1] for g in groups.values()],
    }
    tables = {key: pl.DataFrame({"group": list(of), "part": list(of.values())}) for key, of in parts.items()}
    return Folds(2, pl.DataFrame(columns, schema_overrides={"query": pl.String, "category": pl.String}), tables)


TWO_KEYS = folds(
    {"a": ("p", "x"), "b": ("p", "y"), "c": ("q", "y"), "d": ("r", "z"), "e": ("q", None)},
    query={"p": "0", "q": "1", "r": TEST},
    category={"x": "0", "y": "1", "z": "0"},
)


def test_a_pair_judges_the_part_that_holds_all_its_keys() -> None:
    pairs = Pairs.of(map(row, "abcde"))
    assert TWO_KEYS.judges(pairs, "0").tolist() == [True, False, False, False, False]
    assert TWO_KEYS.judges(pairs, "1").tolist() == [False, False, True, False, True]
    assert not TWO_KEYS.judges(pairs, TEST).any()


def test_a_pair_trains_for_a_fold_that_holds_none_of_its_keys() -> None:
    pairs = Pairs.of(map(row, "abcde"))
    assert TWO_KEYS.trains(pairs, "0").tolist() == [False, False, True, False, True]
    assert TWO_KEYS.trains(pairs, "1").tolist() == [True, False, False, False, False]
    assert TWO_KEYS.trains(pairs, None).tolist() == [True, True, True, False, True]


def test_no_pair_of_the_tune_part_trains_anything() -> None:
    tuned = folds({"a": ("p", None)}, query={"p": TUNE})
    pairs = Pairs.of([row("a")])
    assert tuned.judges(pairs, TUNE).tolist() == [True]
    assert not tuned.trains(pairs, "0").any()
    assert not tuned.trains(pairs, None).any()


def test_a_made_pair_trains_where_its_parent_does_and_judges_nothing() -> None:
    pairs = Pairs.of([row("new", made_from="a"), row("newer", made_from="c")])
    assert TWO_KEYS.trains(pairs, "0").tolist() == [False, True]
    assert TWO_KEYS.trains(pairs, "1").tolist() == [True, False]
    assert not any(TWO_KEYS.judges(pairs, part).any() for part in ("0", "1", TUNE, TEST))


def test_a_made_pair_with_keys_of_its_own_does_not_train_where_they_are_judged() -> None:
    pairs = Pairs.of([row("e", made_from="a")])
    assert TWO_KEYS.trains(pairs, "1").tolist() == [False]


def test_a_pair_that_was_never_dealt_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"'z'.*never dealt"):
        TWO_KEYS.trains(Pairs.of([row("a"), row("z")]), "0")
    with pytest.raises(DataError, match=r"'z'.*never dealt"):
        TWO_KEYS.judges(Pairs.of([row("new", made_from="z")]), "0")


def test_two_pairs_with_one_id_are_refused() -> None:
    groups = pl.DataFrame({"id": ["a", "a"], "query": ["p", "q"]})
    with pytest.raises(DataError, match="share an id"):
        Folds(2, groups, {"query": pl.DataFrame({"group": ["p", "q"], "part": ["0", "1"]})})


@pytest.mark.parametrize("parts", [{"p": "0"}, {"p": "0", "x": "1"}])
def test_a_group_without_a_part_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(DataError, match="'query'"):
        folds({"a": ("p", None), "b": ("q", None)}, query=parts)


def test_a_group_with_two_parts_is_refused() -> None:
    groups = pl.DataFrame({"id": ["a"], "query": ["p"]})
    with pytest.raises(DataError, match="'query'"):
        Folds(2, groups, {"query": pl.DataFrame({"group": ["p", "p"], "part": ["0", "1"]})})
