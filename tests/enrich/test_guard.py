"""A made pair is called irrelevant only where nothing says otherwise."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.enrich.guard import RULES, SCORED_HIGH, Guard, plain

COLUMNS = {"query": pl.String, "english": pl.String, "concept": pl.String, "target": pl.String, "path": pl.String}
NAMES = ("chairs", "folding chairs", "stools", "tents, tarps", "lamps & shades", "rugs")
SPELLINGS = ("{}STUHL", "{}stuhl ", "{}-Stuhl!", "{} stühl")
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)
few = settings(max_examples=25)  # each holds many pairs


def table(**values: str | None) -> pl.DataFrame:
    row = dict.fromkeys(COLUMNS) | values
    return pl.DataFrame([row | {"path": values.get("path", values["target"])}], schema=COLUMNS)


def refusal(relevant: pl.DataFrame, candidate: pl.DataFrame) -> str | None:
    reason: str | None = Guard.of(relevant).refusals(candidate).item()
    return reason


def refusals(relevant: list[dict[str, str]], candidates: list[dict[str, str]]) -> list[str | None]:
    """Return the reasons against the candidate of each number, which only the relevant pair of its number concerns."""
    known, asked = (
        pl.concat(table(**{"query": f"q{number}", **row}) for number, row in enumerate(rows))
        for rows in (relevant, candidates)
    )
    return Guard.of(known).refusals(asked).to_list()


@few
@given(st.lists(st.tuples(names, st.integers(1, 4)), min_size=1, max_size=30))
def test_neither_a_relevant_path_nor_an_ancestor_of_it_is_safe(drawn: list[tuple[list[str], int]]) -> None:
    relevant = [{"target": ",".join(path)} for path, _ in drawn]
    assert all(refusals(relevant, [{"target": ",".join(path[:depth])} for path, depth in drawn]))


@few
@given(st.lists(st.tuples(names, names), min_size=1, max_size=30))
def test_no_descendant_of_a_relevant_path_is_safe(drawn: list[tuple[list[str], list[str]]]) -> None:
    relevant = [{"target": ",".join(path)} for path, _ in drawn]
    assert all(refusals(relevant, [{"target": ",".join(path + below)} for path, below in drawn]))


@few
@given(st.lists(st.tuples(names, names), min_size=1, max_size=30))
def test_no_category_with_the_name_of_a_relevant_one_is_safe(drawn: list[tuple[list[str], list[str]]]) -> None:
    relevant = [{"target": ",".join(path)} for path, _ in drawn]
    candidates = [{"target": ",".join([*elsewhere, path[-1].upper()])} for path, elsewhere in drawn]
    assert all(refusals(relevant, candidates))


@few
@given(st.lists(st.tuples(names, st.sampled_from(SPELLINGS)), min_size=1, max_size=30))
def test_what_is_relevant_to_one_spelling_is_safe_for_none(drawn: list[tuple[list[str], str]]) -> None:
    relevant = [{"query": f"{number} Stuhl", "target": ",".join(path)} for number, (path, _) in enumerate(drawn)]
    asked = [{"query": form.format(number), "target": ",".join(path)} for number, (path, form) in enumerate(drawn)]
    assert set(refusals(relevant, asked)) == {"known as relevant"}


@few
@given(st.lists(st.tuples(names, st.sampled_from(["english", "concept", "query"])), min_size=1, max_size=30))
def test_what_is_relevant_to_a_query_is_safe_for_no_translation_of_it(drawn: list[tuple[list[str], str]]) -> None:
    targets = [",".join(path) for path, _ in drawn]
    meant = [{"english": f"chair {number}", "concept": f"c{number}"} for number in range(len(drawn))]
    relevant = [
        {"query": f"chaise {number}", "target": target, **meant[number]} for number, target in enumerate(targets)
    ]
    known = {"english": "english", "concept": "concept", "query": "english"}
    asked = [
        {"query": f"silla {number}", "target": targets[number], joins: meant[number][known[joins]]}
        for number, (_, joins) in enumerate(drawn)
    ]
    assert set(refusals(relevant, asked)) == {"known as relevant"}


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
    assert (
        refusal(table(query="silla", target="furniture,chairs,folding chairs"), table(query="silla", target=candidate))
        == rule
    )


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
def test_plain_texts_do_not_tell_case_apart(text: str) -> None:
    lower, upper = text.lower(), text.lower().upper()
    if upper.lower() == lower:  # "ß" has no way back
        assert pl.select(plain(pl.lit(upper)) == plain(pl.lit(lower))).item()
