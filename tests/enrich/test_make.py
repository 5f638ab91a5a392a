import logging

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.pairs import Pairs
from shopglot.enrich.make import make_pairs
from shopglot.enrich.settings import MakeSettings, TranslatedSettings
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings
from tests import shop
from tests.enrich.queries import STRANGE, marked, pairs
from tests.strategies import pairs_tables

KINDS = ("typos", "accents", "spacing", "code_mix", "paraphrase", "back_translation", "path_suffix", "path_drop")
INHERITED = ("task", "label", "concept", "weight")


def everything(share: float) -> MakeSettings:
    return MakeSettings(
        **dict.fromkeys(KINDS, share), translated=TranslatedSettings(languages=("pl", "th"), share=share)
    )


def parents_of(made: Pairs, table: Pairs) -> pl.DataFrame:
    parents = table.frame.select(pl.all().name.prefix("parent "))
    return made.frame.join(parents, left_on="made_from", right_on="parent id", validate="m:1", maintain_order="left")


@given(pairs_tables(made=True), st.sampled_from([0.05, 0.4, 1.0]))
@settings(max_examples=15)
def test_a_made_pair_has_an_id_of_its_own_a_labelled_original_parent_and_its_label(table: Pairs, share: float) -> None:
    made = make_pairs(table, everything(share), seed=1, translate=marked).pairs
    of_parent = parents_of(made, table)
    assert of_parent.height == len(made) > 0
    assert made["id"].n_unique() == len(made)
    assert not made["id"].is_in(table["id"].implode()).any()
    assert of_parent["parent made_from"].null_count() == len(made)
    assert all(of_parent[name].equals(of_parent[f"parent {name}"], null_equal=True) for name in INHERITED)
    assert made["label"].null_count() == made["made_by"].null_count() == 0
    assert made["flag"].null_count() == len(made)


@given(pairs_tables())
@settings(max_examples=10)
def test_a_made_pair_has_the_texts_of_no_other_pair(table: Pairs) -> None:
    made = make_pairs(table, everything(1.0), seed=1, translate=marked).pairs
    assert made.frame.join(table.frame, on=["task", "query", "target"], how="semi").is_empty()


@given(pairs_tables(), st.integers(0, 99))
@settings(max_examples=10)
def test_the_order_of_the_rows_does_not_matter(table: Pairs, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(table))
    one, other = (
        make_pairs(each, everything(0.3), seed=4, translate=marked) for each in (table, Pairs(table.frame[order]))
    )
    assert one.pairs.frame.equals(other.pairs.frame)
    assert one.counts == other.counts


@given(pairs_tables(tasks=("QC",)))
@settings(max_examples=10)
def test_a_pair_becomes_the_same_beside_other_pairs(table: Pairs) -> None:
    alone = make_pairs(table.filter(pl.int_range(pl.len()) % 2 == 0), everything(1.0), seed=2, translate=marked).pairs
    beside = make_pairs(table, everything(1.0), seed=2, translate=marked).pairs
    both = alone.frame.join(beside.frame, on="id", suffix=" beside")
    assert both.height > 0
    assert both["query"].equals(both["query beside"])
    assert both["target"].equals(both["target beside"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.25])
def test_the_share_is_reached_where_enough_pairs_can_be_changed(kind: str, share: float) -> None:
    table = Pairs.concat(
        [
            pairs(["café crème pour enfant rouge", "grand théâtre été"] * 40, language="fr", english="coffee pot"),
            pairs(["unchangeable 1"] * 40, target="pots"),
        ]
    )
    table = Pairs(table.frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String)))
    made = make_pairs(table, MakeSettings(**{kind: share}), seed=3, translate=marked)
    (count,) = made.counts.values()
    assert count["made"] == count["wanted"] == len(made.pairs) == round(share * 120)


def test_pairs_that_cannot_be_changed_are_counted_and_not_made(caplog: pytest.LogCaptureFixture) -> None:
    table = pairs(["thé", "tea", "tee", "té"])
    with caplog.at_level(logging.INFO):
        made = make_pairs(table, MakeSettings(accents=1.0), seed=0)
    assert made.counts == {"accents": {"wanted": 4, "made": 2, "unchanged": 2}}
    assert sorted(made.pairs["query"]) == ["te", "the"]
    assert caplog.messages == ["accents: 4 wanted, 2 made, 2 unchanged"]


def test_unlabelled_unreadable_and_made_pairs_have_no_children() -> None:
    frame = pairs(["green teapot"] * 4).frame
    rows = pl.int_range(pl.len())
    table = Pairs(
        frame.with_columns(
            label=pl.when(rows != 0).then("label"),
            target=pl.when(rows == 1).then(pl.lit(" ")).otherwise("target"),
            made_from=pl.when(rows == 2).then(pl.lit("3")),
        )
    )
    assert make_pairs(table, MakeSettings(typos=1.0), seed=0).pairs["made_from"].to_list() == ["3"]


def test_it_is_written_who_made_a_pair() -> None:
    made = make_pairs(
        pairs(["grüner tee"], language="de", english="green tea"),
        MakeSettings(
            typos=1, back_translation=1, back_translation_via="fr", translated={"languages": ["pl"], "share": 1}
        ),
        seed=0,
        translate=marked,
        translator="table",
    ).pairs
    assert dict(made.frame.select("id", "made_by").iter_rows()) == {
        "0~typo": "typo",
        "0~back-translation:fr": "back-translation:fr by table",
        "0~translated:pl": "translated:pl by table",
    }


@pytest.mark.parametrize("settings", [{"paraphrase": 0.1}, {"translated": {"languages": ["pl"], "share": 0.1}}])
def test_without_a_translator_nothing_can_be_translated(settings: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="no translator is set"):
        make_pairs(pairs(["tea"]), MakeSettings.model_validate(settings), seed=0)


def test_an_id_that_is_taken_is_refused() -> None:
    table = Pairs(pairs(["teapot", "kettle"]).frame.with_columns(id=pl.Series(["tea", "tea~typo"])))
    with pytest.raises(DataError, match="'tea~typo' of a made pair is taken"):
        make_pairs(table, MakeSettings(typos=1.0), seed=0)


@pytest.mark.parametrize("english", [None, "", "red 😀 pot", "of"])
def test_no_query_breaks_a_maker(english: str | None) -> None:
    strange = pairs([*STRANGE, "green teapot"], english=english, language=None)
    table = Pairs.concat(
        [strange, pairs(list(STRANGE), language="ja"), pairs(list(STRANGE), target=",,", language="ar")]
    )
    table = Pairs(table.frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String)))
    made = make_pairs(table, everything(1.0), seed=0, translate=marked).pairs
    assert made.readable.all()
    assert len(make_pairs(Pairs.concat([]), everything(1.0), seed=0, translate=marked).pairs) == 0


@pytest.mark.parametrize("mode", ["both", "query", "category"])
def test_a_made_pair_trains_only_where_its_parent_trains(mode: str) -> None:
    table = shop.pairs(400)
    made = make_pairs(table, everything(0.2), seed=5, translate=marked).pairs
    assert made["made_by"].n_unique() > 6
    folds = deal(Pairs.concat([table, made]), FoldSettings.model_validate({"qc": mode, "qi": "query"}), seed=1)
    parent = made["made_from"].to_numpy()
    for fold in (*folds.names, None):
        trains = set(table["id"].to_numpy()[folds.trains(table, fold)])
        assert set(parent[folds.trains(made, fold)]) <= trains
        assert not folds.judges(made, fold or "test").any()


def test_own_columns_travel_along() -> None:
    table = shop.pairs(60)
    made = make_pairs(table, MakeSettings(typos=0.5), seed=0).pairs
    both = parents_of(made, table)
    assert both["own:brand"].equals(both["parent own:brand"])
    assert both["own:brand"].null_count() == 0
