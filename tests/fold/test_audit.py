import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.folds import Folds
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.fold.audit import audit
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings

SETTINGS = FoldSettings(folds=2, tune=0, test=0, qc="both")


def pair(number: int, query: str, target: str) -> Pair:
    return Pair(task="QC", query=query, target=target, id=str(number))


def halves(*pairs: tuple[str, str], key: str) -> tuple[Pairs, Folds]:
    """Return the pairs, of which the first half judges fold 0 and trains for fold 1, in groups of one."""
    table = Pairs.of(pair(number, query, target) for number, (query, target) in enumerate(pairs))
    groups = table.frame.select("id", pl.col("id").alias(key))
    part = ["0"] * (len(pairs) // 2) + ["1"] * (len(pairs) - len(pairs) // 2)
    return table, Folds(2, groups, {key: pl.DataFrame({"group": groups[key], "part": part})})


def test_a_query_with_its_words_in_another_order_is_found_and_refused() -> None:
    pairs, folds = halves(
        ("red summer dress", "a,b"), ("tea", "a,b"), ("coffee", "a,b"), ("Dress, summer RED", "a,b"), key="query"
    )
    found = audit(pairs, folds, SETTINGS, 0)
    assert found.examples.rows() == [
        ("query", "0", "0", "dress red summer", "dress red summer", 1.0),
        ("query", "1", "3", "dress red summer", "dress red summer", 1.0),
    ]
    assert found.shares.sort("part")["share"].to_list() == [0.5, 0.5]
    with pytest.raises(DataError, match=r"50\.0% of the judged pairs, such as '0', .* by their query"):
        found.check()
    audit(pairs, folds, SETTINGS.model_copy(update={"near_duplicate_limit": 0.5}), 0).check()


def test_a_twin_that_trains_nothing_for_the_part_is_none() -> None:
    pairs, folds = halves(("red dress", "a,b"), ("dress red", "a,b"), ("tea", "a,b"), ("coffee", "a,b"), key="query")
    assert audit(pairs, folds, SETTINGS, 0).examples.is_empty()


def test_a_made_pair_whose_query_is_judged_is_found() -> None:
    pairs, folds = halves(("red dress", "a,b"), ("tea", "a,b"), ("coffee", "a,b"), ("milk", "a,b"), key="query")
    made = Pairs.of([Pair(task="QC", query="dress red", target="a,b", id="made", made_from="3")])
    found = audit(Pairs.concat([pairs, made]), folds, SETTINGS, 0)
    assert found.examples.select("part", "id").rows() == [("0", "0")]


def test_subtrees_that_differ_in_letters_only_are_found_and_repeated_words_are_told_apart() -> None:
    pairs, folds = halves(
        ("a", "Toys & Games,Table Tennis Balls,x"),
        ("b", "apparel & accessories,clothing,y"),
        ("c", "toys / games,balls: table tennis,z"),
        ("d", "apparel & accessories,clothing accessories,y"),
        key="category",
    )
    assert set(audit(pairs, folds, SETTINGS, 0).examples["id"]) == {"0", "2"}


def test_a_task_whose_queries_are_not_kept_apart_is_not_looked_at() -> None:
    pairs, folds = halves(("red dress", "a,b"), ("tea", "a,b"), ("coffee", "a,b"), ("dress red", "a,b"), key="query")
    random = folds.groups.with_columns(query=None, random="id").cast({"query": pl.String})
    parts = {"query": folds.parts["query"], "random": folds.parts["query"]}
    assert audit(pairs, Folds(2, random, parts), SETTINGS, 0).looked_at.is_empty()


def test_only_a_sample_of_many_texts_is_looked_at() -> None:
    pairs, folds = halves(*((f"query {n}", "a,b") for n in range(40)), key="query")
    found = audit(pairs, folds, SETTINGS.model_copy(update={"near_duplicate_texts": 10}), 0)
    assert found.looked_at.height == 10


def test_random_folds_promise_nothing_that_could_be_audited() -> None:
    pairs, _ = halves(*((f"query {n % 2}", "a,b") for n in range(40)), key="query")
    how = SETTINGS.model_copy(update={"qc": "random"})
    found = audit(pairs, deal(pairs, how, 0), how, 0)
    found.check()
    assert not found.looked_at.height


def test_real_pairs_pass(shopify: Pairs) -> None:
    how = FoldSettings(near_duplicate_texts=500)
    found = audit(shopify, deal(shopify, how, 0), how, 0)
    found.check()
    assert found.looked_at.height
