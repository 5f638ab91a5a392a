from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.core.pair import Pair
from shopglot.core.pairs import Pairs
from shopglot.curate.corrections import correct, reviewed

PAIRS = Pairs.of(
    Pair(task="QC", query=f"tea {n}", target="home,tea", label=n % 2, id=f"QC-{n}", weight=2.0) for n in range(6)
)


def rows(**actions: str) -> list[dict[str, Any]]:
    """Return the rows of a review, each with the action under its id."""
    table = PAIRS.frame.select("id", "query", "target", "label").to_dicts()
    return [row | {"action": actions.get(row["id"].replace("-", ""))} for row in table]


def written(path: Path, table: list[dict[str, Any]]) -> Path:
    frame = pl.DataFrame(table, infer_schema_length=None)
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_ndjson(path)
    return path


@pytest.mark.parametrize("name", ["review.csv", "review.jsonl"])
def test_each_action_does_what_it_says_and_nothing_else(tmp_path: Path, name: str) -> None:
    actions = rows(QC0="keep", QC1="FLIP ", QC2="drop", QC3="weight 0.25")
    actions[4]["label"] = 1  # edited
    changed, counts = correct(PAIRS, [written(tmp_path / name, actions)])
    assert counts == {"confirmed": 1, "relabelled": 2, "dropped": 1, "reweighted": 1}
    assert changed.frame.select("id", "label", "weight").rows() == [
        ("QC-0", 0, 2.0),
        ("QC-1", 0, 2.0),
        ("QC-3", 1, 0.5),
        ("QC-4", 1, 2.0),
        ("QC-5", 1, 2.0),
    ]
    assert changed.frame.schema == PAIRS.frame.schema


def test_a_later_review_corrects_what_an_earlier_one_left(tmp_path: Path) -> None:
    first = written(tmp_path / "1.csv", rows(QC0="flip", QC5="drop"))
    second = [row | {"label": 1 if row["id"] == "QC-0" else row["label"]} for row in rows(QC0="flip")[:5]]
    changed, counts = correct(PAIRS, [first, written(tmp_path / "2.csv", second)])
    assert changed["label"].to_list() == PAIRS["label"].to_list()[:5]
    assert counts["relabelled"] == 2
    assert reviewed([first, tmp_path / "2.csv"]) == ["QC-0", "QC-5", "QC-0"]


def test_a_review_without_actions_changes_nothing(tmp_path: Path) -> None:
    changed, counts = correct(PAIRS, [written(tmp_path / "review.csv", rows())])
    assert changed.frame.equals(PAIRS.frame)
    assert not any(counts.values())


def test_a_list_written_by_hand_needs_no_labels(tmp_path: Path) -> None:
    by_hand = [{name: row[name] for name in ("id", "query", "target", "action")} for row in rows(QC1="flip")]
    changed, _ = correct(PAIRS, [written(tmp_path / "hand.jsonl", by_hand)])
    assert changed["label"].to_list() == [0, 0, 0, 1, 0, 1]


def test_no_review_is_no_change() -> None:
    assert correct(PAIRS, []) == (PAIRS, {})


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"id": "QC-99"}, r"line 2: no training pair has the id 'QC-99'; is this the review of other files\?"),
        ({"id": None}, "line 2: no training pair has the id ''"),
        ({"id": "QC-2"}, "line 4: the id 'QC-2' stands in an earlier line too; leave one of them"),
        ({"action": "remove"}, "line 2: the action of 'QC-0' is not keep, flip, drop, or weight with a number"),
        ({"action": "weight"}, "line 2: the action of 'QC-0' is not keep"),
        ({"action": "flip 2"}, "line 2: the action of 'QC-0' is not keep"),
        ({"action": "weight -1"}, "line 2: the action of 'QC-0' is not keep"),
        ({"label": 2}, "line 2: the label of 'QC-0' is not 0 or 1"),
        ({"label": None}, "line 2: the label of 'QC-0' is not 0 or 1"),
        ({"label": 1, "action": "flip"}, "line 2: the label of 'QC-0' differs .* undo one of the two"),
        ({"query": "pot", "action": "drop"}, "line 2: the training pair 'QC-0' has another query or target"),
        ({"target": None, "label": 1}, "line 2: the training pair 'QC-0' has another query or target"),
    ],
)
def test_a_row_that_cannot_be_followed_is_named_with_its_line(
    tmp_path: Path, edit: dict[str, Any], sentence: str
) -> None:
    first, *others = rows()
    path = written(tmp_path / "review.csv", [first | edit, *others])
    with pytest.raises(DataError, match=rf"review\.csv {sentence}"):
        correct(PAIRS, [path])


def test_a_text_that_a_spreadsheet_changed_does_not_matter_where_nothing_was_reviewed(tmp_path: Path) -> None:
    first, *others = rows(QC1="flip")
    path = written(tmp_path / "review.csv", [first | {"query": "1.9E+12"}, *others])
    assert correct(PAIRS, [path])[1]["relabelled"] == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,query\n1,tea\n", "is no review file, for it lacks target, action"),
        ("id,query,target,action\nQC-0,tea 0\n", "line 2: fields: 2, where the header names 4; mend it"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_no_review_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "review.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        correct(PAIRS, [tmp_path / "review.csv"])


def test_a_review_of_lists_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "review.jsonl", [row | {"query": [row["query"]]} for row in rows(QC0="flip")])
    with pytest.raises(DataError, match="holds lists or objects in query"):
        correct(PAIRS, [path])


def test_a_review_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*review\.csv"):
        correct(PAIRS, [tmp_path / "review.csv"])
