import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from shopglot.core.judged import Judged
from shopglot.core.pairs import OWN, Pairs
from shopglot.report import mistakes
from shopglot.report.mistakes import TWINS, Mistake, worst_mistakes
from shopglot.report.page import page
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report
from tests.report.made_up import CHOSEN, both_tasks, small_report
from tests.report.parsed import Parsed

NONE = Pairs.concat([])
COLUMNS = ("id", "language", "query", "english", "target", "label")


def pairs(*rows: tuple[Any, ...], task: str = "QC") -> Pairs:
    table = pl.DataFrame([dict(zip(COLUMNS, row, strict=True)) for row in rows], infer_schema_length=None)
    return Pairs.from_frame(table.with_columns(pl.lit(task).alias("task")))


def judged(probability: list[float], found: Pairs, threshold: float = 0.5) -> Judged:
    scores = np.array(probability)
    return Judged("dev", found, scores, scores >= threshold)


ASKED = pairs(
    ("1", "fr", "écouteurs bluetooth", "bluetooth earphones", "electronics,audio,headphones", 0),
    ("2", "fr", "tapis", "rug", "home,rugs", 0),
    ("3", "fr", "lampe", "lamp", "home,lamps", 1),
    ("4", "fr", "chaise", "chair", "home,chairs", 1),
    ("5", None, "table", None, "home,tables", 0),
    ("6", "de", "stuhl", "chair", "home,chairs", 1),
)
SCORES = [0.9, 0.7, 0.2, 0.1, 0.6, 0.8]


def ids(mistakes: tuple[Mistake, ...]) -> list[str]:
    return [mistake.id for mistake in mistakes]


def worst(train: Pairs = NONE, count: int = 5, *, found: Pairs = ASKED, **settings: Any) -> dict[str, Any]:
    shown = ReportSettings(mistakes=count, **settings)
    return worst_mistakes(judged(SCORES, found), train, shown, CHOSEN)["QC"]


def test_mistakes_are_listed_per_language_the_most_confident_first() -> None:
    found = worst()["language"]
    assert list(found) == ["fr", "unknown"]  # de has none
    assert ids(found["fr"].false_positives) == ["1", "2"]
    assert ids(found["fr"].false_negatives) == ["4", "3"]
    assert ids(found["unknown"].false_positives) == ["5"]
    assert {name: each.wrong for name, each in found.items()} == {"fr": 4, "unknown": 1}
    shown = found["fr"].false_positives[0]
    assert (shown.query, shown.english, shown.probability, shown.label) == (
        "écouteurs bluetooth",
        "bluetooth earphones",
        0.9,
        0,
    )


def test_mistakes_are_listed_by_category_script_what_training_had_and_the_columns_of_the_settings_too() -> None:
    found = ASKED.frame.with_columns(pl.Series(OWN + "brand", ["a", "b", "a", "b", "b", "a"]))
    cyrillic = pl.when(pl.col("id") == "2").then(pl.lit("ковёр")).otherwise("query")
    train = pairs(("a", "fr", "tapis", None, "home,rugs", 1))
    columns = worst(train, found=Pairs(found.with_columns(query=cyrillic)), slices=("brand",))
    assert list(columns) == ["language", "top_category", "script", "seen_in_training", "brand"]
    assert {value: each.wrong for value, each in columns["top_category"].items()} == {"home": 4, "electronics": 1}
    assert ids(columns["script"]["Cyrillic"].false_positives) == ["2"]
    assert {value: each.wrong for value, each in columns["brand"].items()} == {"b": 3, "a": 2}
    assert sum(each.wrong for each in columns["seen_in_training"].values()) == 5
    assert ids(columns["seen_in_training"]["new query, seen category, seen language"].false_positives) == ["2"]


def test_of_many_categories_those_with_the_most_mistakes_are_shown() -> None:
    rows = [(str(n), "en", f"query {n}", None, f"top {n % 20},a", 0) for n in range(60 - 7)]
    many = pairs(*rows)
    found = worst_mistakes(judged([0.9] * len(rows), many), NONE, ReportSettings(), None)["QC"]["top_category"]
    assert len(found) == 12
    assert {each.wrong for each in found.values()} == {3}


def test_a_mistake_shows_the_threshold_of_its_row() -> None:
    languages = ("fr", "sw")
    rows = [(str(n), language, "pump", None, "shoes,pumps", 1) for n, language in enumerate(languages)]
    found = worst_mistakes(judged([0.1, 0.1], pairs(*rows)), NONE, ReportSettings(), CHOSEN)["QC"]["language"]
    shown = {name: each.false_negatives[0].threshold for name, each in found.items()}
    assert shown == {"fr": 0.377, "sw": 0.299}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_slice_shows_more_than_was_asked_for(count: int) -> None:
    every = both_tasks("dev")
    found = worst_mistakes(every, NONE, ReportSettings(mistakes=count, slices=("seen_type",)), None)
    assert set(found) == ({"QC", "QI"} if count else set())
    for columns in found.values():
        assert set(columns) == {"language", "seen_type"}
        for each in (each for values in columns.values() for each in values.values()):
            assert len(each.false_positives) <= count
            assert len(each.false_negatives) <= count
            assert len(each.false_positives) + len(each.false_negatives) <= each.wrong
            assert all(mistake.label == 0 and mistake.threshold is None for mistake in each.false_positives)


def test_a_model_without_mistakes_has_none_to_show() -> None:
    right = judged([float(label) for label in ASKED.labels], ASKED)
    assert worst_mistakes(right, ASKED, ReportSettings(), None) == {}


def test_the_nearest_pairs_have_the_same_target_or_a_similar_query_the_most_similar_first() -> None:
    train = pairs(
        ("a", "es", "auriculares bluetooth", "bluetooth earphones", "electronics,audio,speakers", 1),
        ("b", "en", "loudspeaker", None, "electronics,audio,headphones", 0),
        ("c", "en", "garden hose", None, "home,garden,hoses", 1),
        ("d", "ja", "イヤホン", "bluetooth earphone", "electronics,audio,headphones", 1),
        ("e", "en", "wok", None, "home,kitchen,woks", 1),
    )
    nearest = worst(train, 1)["language"]["fr"].false_positives[0].nearest
    assert [(each.query, each.label) for each in nearest] == [
        ("イヤホン", 1),
        ("auriculares bluetooth", 1),
        ("loudspeaker", 0),
    ]
    similarity = [each.similarity for each in nearest]
    assert similarity == sorted(similarity, reverse=True)
    assert 0.5 <= similarity[-1] < similarity[0] < 1


def test_mistakes_ranked_a_few_at_a_time_have_the_neighbours_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, train = both_tasks("dev", skill=0.5), both_tasks("train").pairs
    whole = worst_mistakes(found, train, ReportSettings(), None)
    monkeypatch.setattr(mistakes, "_AT_ONCE", 1)
    assert worst_mistakes(found, train, ReportSettings(), None) == whole
    assert any(each.nearest for task in whole.values() for each in task["language"]["fr"].false_positives)


def test_pairs_of_the_other_task_and_unlike_ones_are_not_near() -> None:
    other = pairs(("a", "fr", "écouteurs bluetooth", None, "electronics,audio,headphones", 1), task="QI")
    unlike = pairs(("b", "fr", "wok", None, "home,kitchen,woks", 1))
    found = worst(Pairs.concat([other, unlike]))["language"]
    assert all(mistake.nearest == () for each in found.values() for mistake in each.false_positives)


@pytest.fixture
def reported() -> Report:
    train = pairs(("a", "ja", "イヤホン", "bluetooth earphone", "electronics,audio,headphones", 1))
    return small_report().with_mistakes({"QC": worst(train)})


def test_every_mistake_of_the_json_stands_in_the_page_with_its_neighbours(reported: Report) -> None:
    html = page(reported)
    Parsed(html)
    slices = reported.to_json()["mistakes"]["QC"]
    assert {"language", "top_category"} <= set(slices)
    for values in slices.values():
        for each in values.values():
            for mistake in (*each["false_positives"], *each["false_negatives"]):
                assert re.search(rf'scope="row">{mistake["query"]}</th>.*<td>{mistake["target"]}</td>', html)
    assert "relevant: イヤホン (bluetooth earphone) → electronics,audio,headphones" in html
    assert f"the {TWINS} most similar" in html
    assert "fr: called relevant, labelled irrelevant" in html
    assert "top category home: called relevant, labelled irrelevant" in html
    assert "<summary>fr: 4</summary>" in html
    assert 'href="#mistakes"' in html


def test_a_report_without_mistakes_has_no_such_section() -> None:
    assert "mistakes" not in page(small_report()).partition("</style>")[2].lower()


def test_mistakes_come_back_from_the_json(reported: Report) -> None:
    assert Report.from_json(reported.to_json()).mistakes == reported.mistakes
