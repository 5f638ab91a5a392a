"""A made pair is called irrelevant only where nothing says otherwise."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.enrich.guard import RULES, SCORED_HIGH, Guard, plain

COLUMNS = {"query": pl.String, "english": pl.String, "concept": pl.String, "target": pl.String, "path": pl.String}
NAMES = ("chairs", "folding chairs", "stools", "tents, tarps", "lamps & shades", "rugs")
level = st.sampled_from(NAMES)
paths = st.lists(level, min_size=1, max_size=5).map(",".join)
queries = st.sampled_from(["silla", "chaise", "Stuhl", "椅子"])


def table(**values: str | None) -> pl.DataFrame:
    row = dict.fromkeys(COLUMNS) | values
    return pl.DataFrame([row | {"path": values.get("path", values["target"])}], schema=COLUMNS)


def refusal(relevant: pl.DataFrame, candidate: pl.DataFrame) -> str | None:
    reason: str | None = Guard.of(relevant).refusals(candidate).item()
    return reason


@given(queries, paths, st.data())
def test_no_ancestor_of_a_relevant_path_and_not_the_path_itself_is_safe(
    query: str, path: str, data: st.DataObject
) -> None:
    names = path.split(",") if ", " not in path else path.replace(", ", "; ").split(",")
    above = ",".join(names[: data.draw(st.integers(1, len(names)))]).replace("; ", ", ")
    assert refusal(table(query=query, target=path), table(query=query, target=above)) is not None


@given(queries, paths, paths)
def test_no_descendant_of_a_relevant_path_is_safe(query: str, path: str, below: str) -> None:
    assert refusal(table(query=query, target=path), table(query=query, target=f"{path},{below}")) is not None


@given(queries, paths, paths, level)
def test_no_category_with_the_name_of_a_relevant_one_is_safe(query: str, path: str, other: str, name: str) -> None:
    candidate = table(query=query, target=f"{other},{name.upper()}")
    assert refusal(table(query=query, target=f"{path},{name}"), candidate) is not None


@given(paths, st.sampled_from(["STUHL", "stuhl ", "Stuhl!", "stühl"]))
def test_what_is_relevant_to_one_spelling_is_safe_for_none(path: str, spelled: str) -> None:
    assert refusal(table(query="Stuhl", target=path), table(query=spelled, target=path)) is not None


@given(paths, queries, queries)
def test_what_is_relevant_to_a_query_is_safe_for_no_translation_of_it(path: str, one: str, other: str) -> None:
    known = table(query=one, english="chair", concept="c1", target=path)
    assert refusal(known, table(query=other, english="Chairs", target=path)) is not None
    assert refusal(known, table(query=other, concept="c1", target=path)) is not None
    assert refusal(known, table(query="chair", target=path)) is not None


@pytest.mark.parametrize(
    ("candidate", "rule"),
    [
        ("furniture,chairs,folding chairs", "known as relevant"),
        ("furniture,chairs", "ancestor"),
        ("furniture,chairs,folding chairs,wooden", "descendant"),
        ("garden,folding chair", "same name"),
        ("furniture,seats,folding chairs & stools", "nested name"),
        ("furniture,seats,children's folding chairs", "nested name"),
        ("furniture,seats,chairs", "nested name"),
        ("garden,garden chairs", None),
        ("furniture,chairs,dining chairs", None),
        ("furniture,chairs,folding chair covers", None),
        ("furniture,folding screens", None),
    ],
)
def test_the_rule_that_refuses_a_category_is_named(candidate: str, rule: str | None) -> None:
    assert refusal(table(query="silla", target="furniture,chairs,folding chairs"), table(query="silla", target=candidate)) == rule


def test_a_category_named_like_the_query_is_not_safe_though_it_was_never_judged() -> None:
    known = table(query="chaise", target="garden,loungers")
    assert refusal(known, table(query="rugs", target="home,Rug")) == "same name"
    assert refusal(known, table(query="tapis", english="rugs", target="home,mats & rugs")) == "same name"


def test_what_is_relevant_to_another_query_is_safe() -> None:
    assert refusal(table(query="silla", target="home,chairs"), table(query="lampe", target="home,chairs")) is None


def test_a_title_is_judged_by_itself_where_its_category_is_unknown() -> None:
    known = table(query="silla", target="Oak Chair", path=None)
    assert refusal(known, table(query="silla", target="oak chair!", path=None)) == "known as relevant"
    assert refusal(known, table(query="silla", target="Oak Table", path=None)) is None


class LikesStools:
    """Scores targets with stools high, and remembers how many pairs it was asked for."""

    asked = 0

    def score(self, pairs: Pairs) -> Scores:
        self.asked += len(pairs)
        return np.where(pairs["target"].str.contains("stool").to_numpy(), 0.6, 0.1)


def test_a_pair_that_the_ensemble_scores_high_is_not_safe_and_only_the_others_are_scored() -> None:
    scorer = LikesStools()
    targets = ["home,bar stools", "home,rugs", "home,chairs"]
    candidates = pl.concat(table(query="silla", target=target) for target in targets).with_columns(task=pl.lit("QC"))
    known = table(query="silla", target="home,chairs")
    assert Guard.of(known, scorer, 0.6).refusals(candidates).to_list() == [SCORED_HIGH, None, "known as relevant"]
    assert scorer.asked == 2
    assert Guard.of(known, scorer, 0.61).refusals(candidates)[0] is None


def test_the_rules_are_asked_in_their_order() -> None:
    assert RULES == ("known as relevant", "ancestor", "descendant", "same name", "nested name", "scored high")


def test_no_candidates_are_refused_where_there_are_none() -> None:
    known = table(query="silla", target="home,chairs")
    assert Guard.of(known, LikesStools()).refusals(known.clear()).len() == 0
    assert Guard.of(known.clear()).refusals(known).to_list() == [None]


@given(st.text(max_size=20))
def test_plain_texts_have_no_case_and_stay_plain(text: str) -> None:
    once = pl.select(plain(pl.lit(text))).item()
    assert pl.select(plain(pl.lit(text.upper()))).item().casefold() == pl.select(plain(pl.lit(text.upper().lower()))).item().casefold()
    assert once == once.lower()
