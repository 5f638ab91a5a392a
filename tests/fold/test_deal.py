import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError, RecipeError
from shopglot.core.folds import TEST, TUNE, Folds
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings, Mode
from tests.fold.tables import parts, table
from tests.strategies import pairs_tables

MODES: list[Mode] = ["query", "category", "both", "language", "random"]
SETTINGS = st.builds(
    FoldSettings,
    folds=st.integers(2, 3),
    tune=st.sampled_from([0, 0.1]),
    test=st.sampled_from([0, 0.1]),
    qc=st.sampled_from(MODES),
    qi=st.sampled_from(MODES),
)
SEEDS = st.integers(0, 5)
quick = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def dealt(pairs: Pairs, how: FoldSettings, seed: int, kept: Folds | None = None) -> Folds:
    """Deal, and give up this example where the table is too small for so many parts."""
    try:
        return deal(pairs, how, seed, kept)
    except DataError:
        assume(False)
        raise


def texts(pairs: Pairs, *columns: str) -> set[str]:
    """Return what a reader would call the queries or meanings of some rows."""
    letters = [pairs[column].drop_nulls().str.normalize("NFKD").str.to_lowercase() for column in columns]
    return set(pl.concat(letters).str.replace_all("[^a-z0-9]", "").to_list())


def subtrees(pairs: Pairs) -> set[str]:
    return {str(CategoryPath.parse(path).prefix(2)) for path in pairs["target"]}


@quick
@given(pairs_tables(made=True), st.sampled_from(["query", "both", "language"]), SEEDS)
def test_no_model_knows_a_query_its_spellings_or_its_translations_of_the_part_it_is_judged_on(
    pairs: Pairs, mode: Mode, seed: int
) -> None:
    folds = dealt(pairs, FoldSettings(folds=2, qc=mode, qi="query"), seed)
    for part, fold in {"0": "0", "1": "1", TUNE: None, TEST: None}.items():
        judging, training = pairs.filter(folds.judges(pairs, part)), pairs.filter(folds.trains(pairs, fold))
        assert not texts(judging, "query", "english") & texts(training, "query", "english")
        assert not texts(judging, "concept") & texts(training, "concept")


@quick
@given(pairs_tables(tasks=("QC",), made=True), SEEDS)
def test_in_both_no_model_knows_a_subtree_of_the_part_it_is_judged_on(pairs: Pairs, seed: int) -> None:
    folds = dealt(pairs, FoldSettings(folds=2, qc="both"), seed)
    for part, fold in {"0": "0", "1": "1", TUNE: None, TEST: None}.items():
        judging, training = pairs.filter(folds.judges(pairs, part)), pairs.filter(folds.trains(pairs, fold))
        assert not subtrees(judging) & subtrees(training)


@quick
@given(pairs_tables(made=True), SETTINGS, SEEDS)
def test_no_pair_trains_for_the_part_it_judges_and_none_judges_two(pairs: Pairs, how: FoldSettings, seed: int) -> None:
    folds = dealt(pairs, how, seed)
    judging = [folds.judges(pairs, part) for part in (*folds.names, TUNE, TEST)]
    training = [folds.trains(pairs, fold) for fold in (*folds.names, None, None)]
    assert not any((judge & train).any() for judge, train in zip(judging, training, strict=True))
    assert np.sum(judging, axis=0).max() == 1


@quick
@given(pairs_tables(made=True), SETTINGS, SEEDS)
def test_a_made_pair_judges_nothing_and_trains_only_where_its_parent_does(
    pairs: Pairs, how: FoldSettings, seed: int
) -> None:
    folds = dealt(pairs, how, seed)
    made = pairs.filter(pl.col("made_from").is_not_null())
    parents = made.frame.select(id="made_from").join(pairs.frame, on="id", maintain_order="left")
    for fold in (*folds.names, None):
        assert (folds.trains(made, fold) <= folds.trains(Pairs.from_frame(parents), fold)).all()
    assert not any(folds.judges(made, part).any() for part in (*folds.names, TUNE, TEST))


@quick
@given(pairs_tables(made=True), SETTINGS, SEEDS)
def test_the_order_of_the_rows_does_not_matter(pairs: Pairs, how: FoldSettings, seed: int) -> None:
    folds = dealt(pairs, how, seed)
    shuffled = Pairs(pairs.frame.sample(fraction=1, shuffle=True, seed=seed))
    assert_frame_equal(parts(folds, pairs["id"]), parts(deal(shuffled, how, seed), pairs["id"]))


@quick
@given(pairs_tables(), SETTINGS, SEEDS)
def test_with_kept_folds_new_labels_move_no_pair(pairs: Pairs, how: FoldSettings, seed: int) -> None:
    unlabelled = Pairs(pairs.frame.with_columns(label=pl.lit(None, dtype=pl.Int8)))
    kept = dealt(unlabelled, how, seed)
    assert_frame_equal(parts(kept, pairs["id"]), parts(dealt(pairs, how, seed + 1, kept), pairs["id"]))


@quick
@given(pairs_tables(), SETTINGS, SEEDS)
def test_with_kept_folds_a_new_pair_moves_only_the_groups_it_joins(pairs: Pairs, how: FoldSettings, seed: int) -> None:
    kept = dealt(Pairs(pairs.frame.head(100)), how, seed)
    more = dealt(pairs, how, seed + 1, kept)
    for key in kept.parts:
        before, now = (parts(folds, kept.groups["id"])[f"part by {key}"] for folds in (kept, more))
        group = kept.groups.select("id").join(more.groups, on="id", maintain_order="left")[key]
        moved = pl.DataFrame({"group": group, "before": before, "now": now}).drop_nulls()
        whole = moved.filter(pl.col("before").n_unique().over("group") == 1)
        assert whole["before"].equals(whole["now"])


def test_another_seed_deals_otherwise() -> None:
    pairs = table(1000, 0)
    one, other = (parts(deal(pairs, FoldSettings(qc="query"), seed), pairs["id"]) for seed in (0, 1))
    assert (one["part by query"] != other["part by query"]).to_numpy().mean() > 0.5


def test_a_query_goes_to_the_part_of_most_of_its_pairs() -> None:
    pairs = table(3000, 1)
    folds = deal(pairs, FoldSettings(qc="both", category_levels=1), 0)
    rows = parts(folds, pairs["id"]).with_columns(group=folds.groups["query"])
    votes = rows.group_by("group", "part by category").len().with_columns(most=pl.max("len").over("group"))
    winners = votes.filter(pl.col("len") == pl.col("most")).select("group", "part by category")
    chosen = rows.select("group", "part by query").unique()
    agreed = chosen.join(winners, left_on=["group", "part by query"], right_on=["group", "part by category"])
    assert agreed.height == chosen.height


def test_no_model_sees_an_item_with_the_query_of_a_category_pair_that_judges_it() -> None:
    categories = table(3000, 2)
    items = Pairs.from_frame(
        categories.frame.select(
            "query",
            "label",
            "language",
            id=pl.format("item {}", "id"),
            task=pl.lit("QI"),
            target=pl.format("t {}", "id"),
        )
    )
    pairs = Pairs.concat([categories, items])
    folds = deal(pairs, FoldSettings(category_levels=1), 0)
    for fold in folds.names:
        judging = pairs.filter(folds.judges(pairs, fold)).of_task("QC")
        training = pairs.filter(folds.trains(pairs, fold)).of_task("QI")
        assert len(judging)
        assert len(training)
        assert not set(judging["query"]) & set(training["query"])


def test_each_language_is_left_out_once() -> None:
    pairs = table(3000, 0)
    folds = deal(pairs, FoldSettings(folds=6, tune=0, test=0, qc="language"), 0)
    judged = [set(pairs.filter(folds.judges(pairs, fold))["language"]) for fold in folds.names]
    assert sorted(map(len, judged)) == [1] * 6
    assert len(set.union(*judged)) == 6


def test_six_languages_fill_three_folds_and_the_tune_and_test_parts() -> None:
    pairs = table(3000, 0)
    folds = deal(pairs, FoldSettings(qc="language"), 0)
    assert set(folds.parts["language"]["part"]) == {*folds.names, TUNE, TEST}


def qc(query: str, target: str, label: int | None = None, **known: str) -> Pair:
    return Pair(task="QC", query=query, target=target, label=label, **known)  # type: ignore[arg-type]


def test_a_group_of_more_than_half_of_the_pairs_is_refused_with_the_remedy() -> None:
    glued = Pairs.of(qc(f"query {n}", f"top,sub {n}", english="other" if n < 60 else f"{n}") for n in range(100))
    with pytest.raises(DataError, match=r"one query group holds 60 of 100 pairs; .*english"):
        deal(glued, FoldSettings(qc="query"), 0)
    narrow = Pairs.of(qc(f"query {n}", f"top,sub {max(n, 50)},{n}") for n in range(100))
    with pytest.raises(DataError, match=r"one category group holds 51 of 100 pairs; raise category_levels"):
        deal(narrow, FoldSettings(qc="category"), 0)


def test_fewer_groups_than_parts_are_refused() -> None:
    few = Pairs.of(qc(f"query {n % 4}", f"top,sub {n}") for n in range(100))
    with pytest.raises(DataError, match="4 query groups cannot fill 5 parts"):
        deal(few, FoldSettings(qc="query"), 0)
    assert deal(few, FoldSettings(folds=2, qc="query", tune=0, test=0), 0).count == 2


def test_a_task_with_labels_of_one_class_is_refused() -> None:
    one_class = Pairs.of(qc(f"query {n}", f"top,sub {n}", 1 if n % 2 else None) for n in range(100))
    with pytest.raises(DataError, match="every label of task QC is 1"):
        deal(one_class, FoldSettings(), 0)


def test_a_part_that_nothing_judges_is_refused() -> None:
    crossed = Pairs.of(qc(f"query {n}", f"top,sub {m}") for n in range(8) for m in range(8))
    with pytest.raises(DataError, match="no pair judges the part"):
        deal(crossed, FoldSettings(folds=8, tune=0, test=0), 0)


def test_kept_folds_of_another_number_are_refused() -> None:
    pairs = table(1000, 0)
    kept = deal(pairs, FoldSettings(qc="query"), 0)
    with pytest.raises(RecipeError, match="3"):
        deal(pairs, FoldSettings(qc="query", folds=4), 0, kept)


def test_too_much_held_out_is_refused() -> None:
    with pytest.raises(ValidationError, match="60%"):
        FoldSettings(tune=0.4, test=0.2)


def test_real_pairs_keep_most_of_their_rows_in_both(shopify: Pairs) -> None:
    folds = deal(shopify, FoldSettings(), 0)
    judging = [folds.judges(shopify, part) for part in (*folds.names, TUNE, TEST)]
    assert np.any(judging, axis=0).mean() > 0.9
    assert [mask.mean() for mask in judging] == pytest.approx([0.25] * 3 + [0.09] * 2, abs=0.01)
