import json
from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import DataError
from shopglot.pack.scored import check_out, read_scored
from tests.curate.files import Row, category_row, json_lines


def scored_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return category_row(number) | {"score": 0.7, "prediction": 1, "threshold": 0.5, "flag": None} | changes


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("score", value) for value in ("much", None, 1.5, -3, [0.5], True)),
        *(("prediction", value) for value in ("yes", None, 7, 0.5, True)),
        *(("threshold", value) for value in ("half", None, 2)),
    ],
)
def test_what_is_no_score_prediction_or_threshold_is_refused_with_its_row(
    tmp_path: Path, column: str, value: Any
) -> None:
    path = json_lines(tmp_path / "a.jsonl", [scored_row(9, **{column: value})])
    with pytest.raises(DataError, match=rf"the {column} of QC-9 in .*a\.jsonl is .*; give a file that"):
        read_scored(path)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_score_that_is_no_finite_number_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError, match=f"the score of QC-1 in .* is '{value}'"):
        read_scored(json_lines(tmp_path / "a.jsonl", [scored_row(score=value)]))


@pytest.mark.parametrize("value", ["NaN", "-Infinity"])
def test_nan_as_python_writes_it_is_refused_with_its_line(tmp_path: Path, value: str) -> None:
    broken = json.dumps(scored_row(2)).replace("0.7", value)
    path = json_lines(tmp_path / "a.jsonl", [scored_row(1), broken])
    with pytest.raises(DataError, match=r"a\.jsonl line 2 holds NaN, which is no score; give a file that"):
        read_scored(path)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"two rows of .*a\.jsonl have the id 'QC-1'; give every pair an id of its own"):
        read_scored(json_lines(tmp_path / "a.jsonl", [scored_row(1), scored_row(2), scored_row(1, score=0.1)]))


def test_a_scored_file_may_come_back_as_text_from_a_spreadsheet(tmp_path: Path) -> None:
    rows = [scored_row(1), scored_row(2, prediction=0, score=0.25)]
    texts = [{name: value and str(value) for name, value in row.items()} for row in rows]
    judged, thresholds = read_scored(json_lines(tmp_path / "a.jsonl", texts))
    assert (judged.probability.tolist(), judged.decision.tolist()) == ([0.7, 0.25], [True, False])
    assert thresholds == {"QC": 0.5}


def test_the_threshold_of_a_task_is_the_one_that_most_rows_have(tmp_path: Path) -> None:
    rows = [scored_row(n, threshold=own) for n, own in enumerate((0.3, 0.6, 0.45, 0.6, 0.45, 0.6))]
    assert read_scored(json_lines(tmp_path / "a.jsonl", rows))[1] == {"QC": 0.6}


def test_rows_that_cannot_be_judged_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows: list[Row | str] = [scored_row(1), scored_row(2, label="maybe"), scored_row(3, label=None), "{"]
    judged, _ = read_scored(json_lines(tmp_path / "a.jsonl", rows))
    assert len(judged.pairs) == 1
    assert [message.split(" rows of")[0] for message in caplog.messages] == ["3 of the 4"]


@pytest.mark.parametrize("name", ["q.quarantine.jsonl", "q.jsonl"])
def test_an_input_is_not_replaced(tmp_path: Path, name: str) -> None:
    given, link = tmp_path / name, tmp_path / "link.jsonl"
    given.write_text(json.dumps(scored_row()))
    link.symlink_to(given)
    for file in (given, link):
        with pytest.raises(DataError, match=f"{file.name} is an input that would be replaced"):
            check_out(tmp_path / "q.jsonl", tmp_path / "q.quarantine.jsonl", [file])
    check_out(tmp_path / "other.jsonl", tmp_path / "other.quarantine.jsonl", [given])
