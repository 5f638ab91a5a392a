import sys

import numpy as np
import polars as pl
import pytest

from shopglot.core.errors import RecipeError
from shopglot.core.judged import Judged
from shopglot.core.pair import TASKS
from shopglot.core.pairs import Pairs
from shopglot.report.audit import REVIEW, LabelAudit, audit_labels, known

RATES = {"en": 0.02, "fr": 0.25}


def shop(rows: int = 900, *, related: int = 1, skill: float = 2.5) -> tuple[Judged, pl.DataFrame]:
    """Return judged pairs with flipped labels, more of them in French and by the annotator `bo`, and the truth.

    `related` pairs each have the same query and target and the same true label.
    """
    rng = np.random.default_rng(3)
    meaning = np.arange(rows) // related
    language = np.resize(["en", "fr"], rows)
    annotator = rng.choice(["al", "bo", "cy"], rows)
    truth = (rng.random(rows) < 0.6)[meaning].astype(np.int8)
    rate = np.where(annotator == "bo", 0.3, np.where(language == "fr", RATES["fr"], RATES["en"]))
    label = np.where(rng.random(rows) < rate, 1 - truth, truth).astype(np.int8)
    probability = 1 / (1 + np.exp(-(skill * (2 * truth - 1) + rng.normal(size=rows))))
    frame = pl.DataFrame(
        {
            "id": [f"QC-{row}" for row in range(rows)],
            "task": "QC",
            "query": [f"query {number}" for number in meaning],
            "target": [f"shelf {number % 3},leaf" for number in meaning],
            "language": language,
            "annotator": annotator,
            "label": label,
        }
    )
    fold = pl.Series([str(number % 3) for number in meaning])
    judged = Judged("out-of-fold", Pairs.from_frame(frame), probability, probability >= 0.5, fold)
    return judged, frame.select("id", label=pl.Series(truth))


def audit(judged: Judged) -> LabelAudit:
    return audit_labels(judged.pairs, judged)


def test_the_list_begins_with_wrong_labels_and_holds_every_scored_pair_once() -> None:
    judged, truth = shop()
    found = audit(judged)
    assert found.suspects.columns == list(REVIEW)
    assert sorted(found.suspects["id"]) == sorted(judged.pairs["id"])
    assert found.suspects["probability"].is_sorted()
    measured = known(found, found.within(0.1), judged.pairs, truth)
    assert measured.listed == 90
    assert measured.precision > 0.9
    assert measured.recall == measured.found / measured.flipped
    assert measured.flipped == measured.everywhere == judged.pairs["label"].ne(truth["label"]).sum()
    assert known(found, found.suspects, judged.pairs, truth).recall == 1.0


def test_another_label_is_suggested_where_the_given_one_is_unlikely() -> None:
    first, last = audit(shop()[0]).suspects[[0, -1]].to_dicts()
    assert first["suggested"] == 1 - first["label"]
    assert last["suggested"] == last["label"]
    assert first["action"] is None


def test_related_labels_find_more_wrong_ones_than_scores_alone() -> None:
    judged, truth = shop(related=4, skill=0.7)
    unrelated = Pairs(judged.pairs.frame.with_columns(query=pl.col("id")))
    alone = audit(Judged("out-of-fold", unrelated, judged.probability, judged.decision, judged.fold))
    related = audit(judged)
    assert related.noise.filter(slice="all")["contradicted"].item() > 0.05
    assert not alone.noise["contradicted"].to_numpy().any()
    recalls = [known(each, each.within(0.2), judged.pairs, truth).recall for each in (related, alone)]
    assert recalls[0] > recalls[1] + 0.1


def test_related_labels_that_agree_by_chance_alone_count_for_next_to_nothing() -> None:
    judged, _ = shop(rows=3000)
    crowd = pl.int_range(pl.len()) // 4
    crowded = Pairs(judged.pairs.frame.with_columns(query=pl.format("query {}", crowd), target=pl.lit("shelf,leaf")))
    related = audit(Judged("out-of-fold", crowded, judged.probability, judged.decision, judged.fold))
    both = related.suspects.join(audit(judged).suspects, on="id", suffix="_alone")
    assert both["probability"].to_numpy() == pytest.approx(both["probability_alone"].to_numpy(), abs=0.1)


def test_a_pair_without_a_score_is_counted_and_listed_only_where_it_is_contradicted() -> None:
    judged, _ = shop(rows=300)
    lonely = {"id": "QC-lonely", "task": "QC", "query": "wok", "target": "pots,woks", "label": 0}
    against = judged.pairs.frame.filter(label=1).select("task", "query", "target", id=pl.lit("QC-no"), label=0).head(1)
    pairs = Pairs.concat([judged.pairs, Pairs.from_frame(pl.DataFrame(lonely)), Pairs.from_frame(against)])
    found = audit_labels(pairs, judged)
    assert found.unscored == 2
    listed = found.suspects.filter(id="QC-no").to_dicts()
    assert "has the same query and target and the other label" in listed[0]["reasons"]
    assert "models" not in listed[0]["reasons"]
    assert "QC-lonely" not in found.suspects["id"]


def test_a_task_that_no_model_judged_is_left_out() -> None:
    judged, _ = shop(rows=300)
    items = Pairs(judged.pairs.frame.with_columns(id="QI-" + pl.col("id"), task=pl.lit("QI", dtype=pl.Enum(TASKS))))
    both = audit_labels(Pairs.concat([judged.pairs, items]), judged)
    assert both.suspects.equals(audit(judged).suspects)
    assert both.unscored == 0


def test_what_was_reviewed_before_is_not_listed_again() -> None:
    judged, _ = shop(rows=300)
    worst = audit(judged).suspects["id"][0]
    again = audit_labels(judged.pairs, judged, reviewed=[worst])
    assert worst not in again.suspects["id"]
    assert again.noise.equals(audit(judged).noise)


def test_the_noisiest_language_and_annotator_stand_first() -> None:
    noise = audit(shop(rows=2000)[0]).noise
    first = noise.group_by("slice", maintain_order=True).first()
    assert dict(first.select("slice", "value").rows())["language"] == "fr"
    assert dict(first.select("slice", "value").rows())["annotator"] == "bo"
    assert noise.filter(slice="all").select("task", "pairs").rows() == [("QC", 2000)]


def test_languages_with_few_rows_or_one_class_are_audited_too() -> None:
    judged, _ = shop()
    rare = np.arange(900) < 15
    language = (
        pl.when(pl.Series(rare)).then(pl.lit("th")).when(pl.col("label") == 1).then(pl.lit("ja")).otherwise("language")
    )
    pairs = Pairs(judged.pairs.frame.with_columns(language=language))
    found = audit(Judged("out-of-fold", pairs, judged.probability, judged.decision, judged.fold))
    assert set(found.noise.filter(slice="language")["value"]) == {"th", "ja", "en", "fr"}
    assert found.noise["suspected"].is_finite().all()


def test_the_order_of_the_pairs_does_not_matter() -> None:
    judged, _ = shop(rows=300, related=2)
    order = np.random.default_rng(1).permutation(300)
    shuffled = Judged(
        "out-of-fold",
        Pairs(judged.pairs.frame[order]),
        judged.probability[order],
        judged.decision[order],
        None if judged.fold is None else judged.fold[order],
    )
    assert audit(shuffled).suspects.equals(audit(judged).suspects)


def test_without_cleanlab_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.rank", None)
    with pytest.raises(RecipeError, match=r"needs cleanlab: pip install 'shopglot\[train\]'"):
        audit(shop(rows=90)[0])
