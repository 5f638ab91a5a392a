from pathlib import Path

import pytest
from starlette.testclient import TestClient

from shopglot.core.errors import DataError
from shopglot.core.files import sha256
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.pages.report_page import report_of
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords

REPORT = """<!DOCTYPE html><html lang="en"><title>a run</title><style>p { color: red }</style>
<nav><ul><li><a href="#languages">Languages and slices</a></li></ul></nav><p style="margin: 0">F1 92.8 % für alle</p>"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text(REPORT, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("name: secret")
    return tmp_path


@pytest.fixture
def client(run: Path) -> TestClient:
    return TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(report=report_of(run))))


def test_the_report_stands_in_a_frame_of_the_site(client: TestClient) -> None:
    page = client.get("/report").text
    assert '<a href="/report" aria-current="page">Report</a>' in page
    assert '<iframe class="report" name="report" title="The report of the run" src="/report/document">' in page
    assert '<a href="/report/document#languages" target="report">Languages and slices</a>' in page


def test_the_document_is_the_file_and_may_run_and_load_nothing(client: TestClient) -> None:
    answer = client.get("/report/document")
    assert answer.text == REPORT
    policy = {part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["style-src"] == ["'unsafe-inline'"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert "allow-scripts" not in policy["sandbox"]
    assert "script-src" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert client.get("/report").headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/report/recipe.yaml", "/report/document/../recipe.yaml", "/report/..%2Frecipe.yaml"])
def test_no_other_file_of_the_run_is_given_away(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize(("served", "said"), [("its own", False), ("another", True)])
def test_a_report_of_another_bundle_than_the_one_that_answers_says_so(run: Path, served: str, said: bool) -> None:
    (run / "bundle").mkdir()
    made = run / "bundle" / "manifest.json"
    made.write_text("{}")
    facts = {"name": served, "sha256": sha256(made) if served == "its own" else "0"}
    client = TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(report=report_of(run), facts=facts)))
    assert ("made another bundle than" in client.get("/report").text) is said


def test_a_report_that_is_gone_is_said(client: TestClient, run: Path) -> None:
    (run / "report.html").unlink()
    for path in ("/report", "/report/document"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "The report cannot be read now" in answer.text


def test_a_folder_without_a_report_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no report\.html"):
        report_of(tmp_path)


def test_a_server_without_a_run_has_no_such_page() -> None:
    client = TestClient(create_app(SharedWords(), FEW_LANGUAGES))
    assert "/report" not in client.get("/try").text
    assert client.get("/report").status_code == 404
