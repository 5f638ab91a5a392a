import json
from pathlib import Path

import pytest

from shopglot.core.errors import DataError
from shopglot.curate.prepare import Curated, prepare, prepare_for_judging, prepare_for_scoring
from shopglot.curate.settings import CurateSettings
from tests.curate.files import Row, category_row, item_row, json_lines

SETTINGS = CurateSettings(languages=("en", "ru"))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Both tasks, with one of everything that can happen to a row."""
    category: list[Row | str] = [
        category_row(1, origin_query=" TEA "),
        category_row(2, origin_query="tea"),
        category_row(3, origin_query="чай чёрный"),
        category_row(4, origin_query=" "),
        "{",
        category_row(5, label=None),
        category_row(6, label=0),
    ]
    item = [item_row(1), item_row(2, item_title="nan"), item_row(3, item_title="x" * 2_500)]
    return [json_lines(tmp_path / "QC.txt", category), json_lines(tmp_path / "QI.txt", item)]


def test_only_rows_that_can_be_learned_from_are_left_and_all_others_are_counted(
    files: list[Path], tmp_path: Path
) -> None:
    curated = prepare(files, SETTINGS, max_bad_rows=0.1, quarantine=tmp_path / "bad.jsonl", labelled_only=True)
    assert curated.pairs["id"].to_list() == ["QC-1", "QC-3", "QC-6", "QI-1", "QI-3"]
    assert curated.pairs["language"].to_list() == ["en", "ru", "en", "en", "en"]
    assert curated.counts == {
        "rows": 10,
        "quarantined": 1,
        "empty query": 1,
        "missing target": 1,
        "target cut": 1,
        "unlabelled": 1,
        "languages corrected": 1,
        "duplicates": 1,
        "contradictory": 2,
        "contradictory dropped": 0,
        "kept": 5,
    }
    assert [json.loads(line)["line"] for line in (tmp_path / "bad.jsonl").read_text().splitlines()] == [5]


def test_unlabelled_rows_stay_unless_labels_are_asked_for(files: list[Path]) -> None:
    assert "QC-5" in prepare(files, SETTINGS, max_bad_rows=0.1).pairs["id"].to_list()


def test_too_many_bad_rows_stop_the_preparation_after_they_are_listed(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="max-bad-rows"):
        prepare(files, SETTINGS, max_bad_rows=0.05, quarantine=tmp_path / "bad.jsonl")
    assert (tmp_path / "bad.jsonl").exists()


def test_files_that_leave_nothing_to_learn_from_are_refused(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.txt", [category_row(1, origin_query="")])
    with pytest.raises(DataError, match="empty query: 1"):
        prepare([path], SETTINGS, max_bad_rows=0.0)


def test_scoring_keeps_every_readable_row_in_its_place(files: list[Path]) -> None:
    curated = prepare_for_scoring([files[0], files[1], files[0]], SETTINGS)
    category = ["QC-1", "QC-2", "QC-3", "QC-4", "QC-5", "QC-6"]
    assert curated.pairs["id"].to_list() == [*category, "QI-1", "QI-2", "QI-3", *category]
    assert curated.pairs["flag"].to_list()[3:9] == ["empty query", None, None, None, "missing target", "target cut"]
    assert curated.pairs["own:origin_query"][0] == " TEA "
    assert curated.counts["quarantined"] == curated.quarantine.height == 2


def test_scoring_stops_only_when_told_how_many_bad_rows_are_too_many(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="max-bad-rows"):
        prepare_for_scoring(files, SETTINGS, max_bad_rows=0.05, quarantine=tmp_path / "bad.jsonl")
    assert (tmp_path / "bad.jsonl").exists()


def test_training_and_scoring_read_the_same_text(files: list[Path]) -> None:
    texts = ["id", "query", "target", "language", "english"]
    trained = prepare(files, SETTINGS, max_bad_rows=0.1).pairs.frame.select(texts)
    scored = prepare_for_scoring(files, SETTINGS).pairs.frame.select(texts)
    assert trained.join(scored, on=texts, how="anti", nulls_equal=True).is_empty()


def judged(path: Path, *, max_bad_rows: float = 0.5) -> Curated:
    bad = path.with_name("bad.jsonl")
    return prepare_for_judging([path], SETTINGS, ["QC"], max_bad_rows=max_bad_rows, quarantine=bad)


def test_rows_that_are_not_judged_are_counted_and_those_with_bad_labels_listed(tmp_path: Path) -> None:
    rows = [category_row(1), category_row(2, label="maybe"), category_row(3, label=None), category_row(4, label=0)]
    path = json_lines(tmp_path / "dev.txt", rows)
    curated = judged(path)
    assert curated.pairs["id"].to_list() == ["QC-1", "QC-3", "QC-4"]
    assert (curated.counts["quarantined"], curated.counts["unlabelled"]) == (1, 1)
    assert "maybe" in (tmp_path / "bad.jsonl").read_text()
    with pytest.raises(DataError, match="1 of 4 rows are bad"):
        judged(path, max_bad_rows=0.2)


def test_pairs_of_a_task_that_was_not_learned_are_refused_before_they_are_judged(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="some hold QI pairs and no training file does"):
        judged(json_lines(tmp_path / "dev.txt", [category_row(1), item_row(1)]))


@pytest.mark.parametrize(
    ("path", "said"), [("home/garden", 1), ("Home, Garden", 1), ("home>garden", 1), ("home > garden", 0), ("food", 0)]
)
def test_paths_with_another_separator_are_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, said: int
) -> None:
    rows = [category_row(number, category_path=f"{path}{number}") for number in range(9)]
    prepare_for_scoring([json_lines(tmp_path / "a.txt", [*rows, category_row(9)])], SETTINGS)
    assert len(caplog.messages) == said
    assert all(message.startswith("9 of 10 category paths are one level") for message in caplog.messages)
