import sys
from pathlib import Path

import pytest

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import write_json
from shopglot.report.summary import Report
from shopglot.report.write import read_report, write_report


def test_a_report_read_back_is_the_report_that_was_written(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path)
    assert read_report(tmp_path / "report.json") == report
    first = (tmp_path / "report.html").read_bytes()
    write_report(read_report(tmp_path / "report.json"), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == first


def test_what_is_no_report_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(DataError, match=r"no report at .*shopglot run"):
        read_report(path)
    for text in ("{", "[]", "{}", '{"tasks": {}}', '{"tasks": {"QC": 3}}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=r"report\.json is no report"):
            read_report(path)


def test_a_report_whose_tasks_lack_their_threshold_is_refused(report: Report, tmp_path: Path) -> None:
    write_json(tmp_path / "report.json", {**report.to_json(), "tasks": {}})
    with pytest.raises(DataError, match=r"report\.json is no report"):
        read_report(tmp_path / "report.json")


def test_report_json_is_kept_even_where_the_page_cannot_be_made(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(RecipeError):
        write_report(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
