from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decision, TaskDecision
from shopglot.merge.slices import SliceThreshold
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.pages.history import KEPT
from shopglot.serve.http.pages.status import course
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords

DECISION = Decision(
    tasks={
        "QC": TaskDecision(
            calibration=Calibration(kind="temperature", slope=1.25, intercept=-0.125),
            threshold=0.375,
            prior=0.3,
            labelled=("de", "en"),
            unlabelled=0.625,
            slices=(
                SliceThreshold(language="de", category="pet supplies", relevant=12, threshold=0.75),
                SliceThreshold(language="de", relevant=1200, threshold=0.5),
            ),
        )
    }
)


@pytest.fixture(scope="module")
def watched() -> Iterator[TestClient]:
    extras = Extras(tasks=("QC",), decision=DECISION, facts={"name": "watched", "sha256": "9f86d081"})
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, extras)) as client:
        yield client


def test_what_was_asked_is_counted_and_renewed(watched: TestClient) -> None:
    watched.post("/rerank?task=QC&language=de", json={"query": "tee", "texts": ["tee", "wok"]})
    watched.post("/rerank?task=QC&language=de", json={"query": "tee", "texts": ["tee"]})
    watched.post("/rerank", content=b"{")
    part = watched.get("/pages/status").text
    row = part.partition('<th scope="row">/rerank</th>')[2].partition("</tr>")[0]
    assert [cell.partition("<")[0] for cell in row.split('<td class="right">')[1:6]] == ["3", "2", "1", "0", "0"]
    assert row.count("ms</td>") + row.count(" s</td>") == 3
    assert '<td>German</td><td class="right">2</td><td class="right">50.0 %</td>' in part
    assert "33 <small>%</small>" in part  # of three pairs looked up one was in the cache
    assert 'aria-label="1, 0, 0, 0, 0, 0, 0, 0, 0, 1 pairs in tenths from 0 to 1"' in part


def test_the_page_says_what_the_model_is_and_how_it_decides(watched: TestClient) -> None:
    page = watched.get("/status").text
    for fact in ("watched", "9f86d081", "Query–category (QC)", "Arabic, German, English", "version 0"):
        assert fact in page, fact
    assert "temperature, slope 1.250, intercept −0.125" in page
    assert "Labels in German, English" in page
    table = page.partition('aria-label="Thresholds of')[2]
    places = [table.index(each) for each in ("0.375", "0.625", "0.500", "0.750", "pet supplies") if each in table]
    assert len(places) == 5
    assert places[:4] == sorted(places[:4])  # from the widest slice to the narrowest
    assert "1,200" in table


def test_the_page_of_an_idle_server_says_that_nobody_asked(client: TestClient) -> None:
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES)) as idle:
        assert "No pair has been scored yet" in idle.get("/status").text


def test_a_course_ends_at_the_right_and_a_lone_answer_is_no_rush() -> None:
    columns, top = course([0.2, 0.4])
    assert top == 1.0
    assert [each.height for each in columns] == [0.2, 0.4]
    assert columns[-1].left + columns[-1].width == 1
    assert columns[0].left == (KEPT - 2) / KEPT
    assert course([]) == ([], 1.0)
    assert course([10.0, 40.0])[0][0].height == 0.25
