"""Made negatives are of the kinds that were asked for, in their shares, and none is relevant."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.enrich.negative_settings import NegativeKind, NegativeSettings
from shopglot.enrich.negatives import negatives
from tests import shop
from tests.strategies import pairs_tables

TREE = [f"shop,{room},{kind} {room} {thing}" for room in ("kitchen", "garden") for kind in "abc" for thing in range(4)]


def relevant(*targets: str, task: str = "QC") -> Pairs:
    rows = [
        {
            "id": f"p{number}",
            "task": task,
            "query": f"query {number}",
            "english": f"meaning {number}",
            "concept": f"c{number}",
            "language": "fr",
            "weight": 2.0,
            "target": target,
            "label": 1,
        }
        for number, target in enumerate(targets)
    ]
    return Pairs.from_frame(pl.DataFrame(rows))


def only(*kinds: NegativeKind, **values: float) -> NegativeSettings:
    return NegativeSettings.model_validate({"per_positive": 1, "shares": dict.fromkeys(kinds, 1.0), **values})


def targets_by_parent(made: Pairs, pairs: Pairs) -> list[tuple[CategoryPath, CategoryPath]]:
    parents = dict(pairs.frame.select("id", "target").iter_rows())
    return [
        (CategoryPath.parse(parents[parent]), CategoryPath.parse(target))
        for parent, target in made.frame.select("made_from", "target").iter_rows()
    ]


def test_a_made_pair_keeps_its_query_and_names_its_original_and_its_kind() -> None:
    made = negatives(relevant("shop,kitchen,pans"), only("random"), seed=1, taxonomy=TREE).pairs
    row = made.frame.row(0, named=True)
    assert row["target"] in TREE
    texts = {name: row[name] for name in ("task", "query", "english", "concept", "language")}
    assert list(texts.values()) == ["QC", "query 0", "meaning 0", "c0", "fr"]
    assert (row["id"], row["weight"]) == ("p0~negative-1", 2.0)
    assert (row["label"], row["made_from"], row["made_by"]) == (0, "p0", "negative:random")


def test_what_was_made_from_a_made_pair_names_the_original_of_both() -> None:
    pairs = Pairs(relevant("shop,kitchen,pans").frame.with_columns(made_from=pl.lit("origin")))
    assert negatives(pairs, only("random"), seed=1, taxonomy=TREE).pairs["made_from"].to_list() == ["origin"]


@pytest.mark.parametrize("seed", range(3))
def test_siblings_share_the_parent_and_cousins_only_the_grandparent(seed: int) -> None:
    pairs = relevant(*TREE)
    for own, other in targets_by_parent(negatives(pairs, only("sibling"), seed=seed).pairs, pairs):
        assert own.parent == other.parent
    cousins = targets_by_parent(negatives(pairs, only("cousin"), seed=seed).pairs, pairs)
    assert len(cousins) == len(TREE)
    for own, other in cousins:
        assert own.parent != other.parent
        assert own.prefix(1) == other.prefix(1)


def test_every_sibling_can_be_drawn_and_the_target_itself_cannot() -> None:
    rooms = [f"shop,kitchen,{name}" for name in ("pans", "pots", "woks", "knives")]
    made = negatives(relevant(rooms[1]), only("sibling", per_positive=20), seed=0, taxonomy=rooms)
    assert sorted(made.pairs["target"]) == sorted([rooms[0], rooms[2], rooms[3]])
    assert made.counts["not found"] == 17


def test_the_nearest_names_are_those_that_share_most_letters() -> None:
    tree = ["a,b,garden hose reels", "c,d,garden house", "e,f,espresso beans", "g,h,snorkels"]
    made = negatives(relevant("x,y,garden hoses"), only("nearest-name", nearest=1), seed=0, taxonomy=tree).pairs
    assert made["target"].to_list() == ["a,b,garden hose reels"]


class FirstLetters:
    """Texts that begin with the same letter have the same vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(128, dtype=np.float32)[[ord(text[0]) % 128 for text in texts]]


def test_an_encoder_says_what_is_near() -> None:
    tree = ["a,b,wok", "c,d,goggles", "e,f,surf board"]
    made = negatives(relevant("x,y,garden hoses"), only("embedding"), seed=0, taxonomy=tree, encoder=FirstLetters())
    assert made.pairs["target"].to_list() == ["c,d,goggles"]


def test_negatives_by_an_encoder_need_one() -> None:
    with pytest.raises(RecipeError, match="'embedding' need an encoder"):
        negatives(relevant("a,b"), only("embedding"), seed=0, taxonomy=TREE)


def test_the_kinds_come_in_their_shares() -> None:
    settings = NegativeSettings(per_positive=5, shares={"sibling": 3, "random": 1})
    counts = negatives(relevant(*TREE), settings, seed=4, taxonomy=[f"other,place,{n}" for n in range(200)]).counts
    assert counts["negative:sibling"] == pytest.approx(0.75 * 5 * len(TREE), rel=0.15)
    assert counts["negative:random"] == pytest.approx(0.25 * 5 * len(TREE), rel=0.4)


def test_there_are_as_many_per_relevant_pair_as_asked_for_on_average() -> None:
    made = negatives(relevant(*TREE * 20), NegativeSettings(per_positive=0.3, shares={"random": 1}), seed=0)
    assert len(made.pairs) == pytest.approx(0.3 * 20 * len(TREE), rel=0.2)


def test_an_only_child_is_given_another_kind_of_the_recipe() -> None:
    made = negatives(relevant(*["a,b,only child"] * 40), only("sibling", "random"), seed=0, taxonomy=TREE).pairs
    assert set(made["made_by"]) == {"negative:random"}
    nothing = negatives(relevant("a,b,only child"), only("sibling"), seed=0, taxonomy=TREE)
    assert (len(nothing.pairs), nothing.counts["not found"]) == (0, 1)


def test_titles_get_other_titles_and_neither_siblings_nor_cousins() -> None:
    pairs = relevant(*(f"title {number}" for number in range(40)), task="QI")
    made = negatives(pairs, only("sibling", "cousin", "nearest-name", "random"), seed=0, taxonomy=TREE)
    assert set(made.pairs["target"]) <= set(pairs["target"])
    assert set(made.pairs["made_by"]) == {"negative:nearest-name", "negative:random"}
    assert made.counts["not found"] == 0
    assert len(negatives(pairs, only("sibling"), seed=0).pairs) == 0


@settings(max_examples=8)
@given(pairs_tables(made=True), st.integers(0, 2**32 - 1))
def test_no_negative_is_relevant_or_above_or_below_what_is_nor_made_twice(pairs: Pairs, seed: int) -> None:
    shares: dict[NegativeKind, float] = {"sibling": 1, "cousin": 1, "random": 1}
    chosen = NegativeSettings(per_positive=2, shares=shares)
    if not (pairs["label"] == 1).any():
        pairs = Pairs(pairs.frame.with_columns(label=pl.lit(1, pl.Int8)))
    made = negatives(pairs, chosen, seed=seed).pairs
    known = pairs.frame.filter(pl.col("label") == 1)
    key = ["task", "query", "target"]
    assert made.frame.join(pairs.labelled.frame, on=key, how="semi").is_empty()
    assert not made.frame.select(key).is_duplicated().any()
    for name in ("english", "concept"):
        assert made.frame.join(known.drop_nulls(name), on=[name, "task", "target"], how="semi").is_empty()
    together = made.of_task("QC").frame.join(known, on=["task", "query"], suffix="_known")
    for target, relevant_target in together.select("target", "target_known").iter_rows():
        one, other = CategoryPath.parse(target), CategoryPath.parse(relevant_target)
        assert not one.is_within(other)
        assert not other.is_within(one)


def test_the_same_seed_makes_the_same_pairs() -> None:
    pairs = shop.pairs(120)
    one, again, other = (negatives(pairs, NegativeSettings(), seed=seed).pairs.frame for seed in (3, 3, 4))
    assert one.equals(again)
    assert not one.equals(other)


class LikesKitchens:
    """Scores every path with a kitchen high."""

    def score(self, pairs: Pairs) -> Scores:
        return pairs["target"].str.contains("kitchen").to_numpy().astype(np.float64)


def test_what_the_ensemble_scores_high_is_not_made() -> None:
    made = negatives(relevant(*["a,b,pans"] * 30), only("random"), seed=0, taxonomy=TREE, scorer=LikesKitchens())
    assert not made.pairs["target"].str.contains("kitchen").any()
    assert made.counts["scored high"] > 0


def test_without_a_relevant_pair_there_is_nothing_to_make() -> None:
    pairs = Pairs(relevant("a,b").frame.with_columns(label=pl.lit(0, pl.Int8)))
    with pytest.raises(DataError, match="no pair is relevant"):
        negatives(pairs, NegativeSettings(), seed=0)


@pytest.mark.parametrize("shares", [{}, {"sibling": 0.0}, {"sibling": -1.0}, {"sibling": float("inf")}, {"uncle": 1.0}])
def test_shares_are_positive_numbers_of_known_kinds(shares: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        NegativeSettings.model_validate({"shares": shares})
