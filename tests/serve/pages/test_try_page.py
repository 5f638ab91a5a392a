import pytest
from starlette.testclient import TestClient

from shopglot.serve.app import Extras, create_app
from shopglot.serve.http_settings import HttpSettings
from tests.serve.quick import SharedWords

FORM = {"query": "green tea", "task": "QI", "targets": "wok\r\n  green tea pot \r\n\r\nblack tea\nwok"}


def test_each_line_is_scored_and_the_most_probable_is_first(client: TestClient) -> None:
    part = client.post("/pages/try/scores", data=FORM).text
    assert "2 of 3 relevant" in part
    assert part.index("green tea pot") < part.index("black tea") < part.index("wok")
    assert part.count("not relevant") == 1


def test_without_scripts_the_page_itself_has_the_scores(client: TestClient) -> None:
    page = client.post("/try", data=FORM).text
    assert "2 of 3 relevant" in page
    assert 'value="green tea"' in page
    assert "wok\ngreen tea pot\nblack tea</textarea>" in page


@pytest.mark.parametrize("path", ["/try", "/pages/try/scores"])
def test_what_somebody_writes_stays_text(client: TestClient, path: str) -> None:
    evil = '"><script>alert(1)</script>'
    page = client.post(path, data={"query": evil, "targets": f"</textarea>{evil}"}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_limits_hold_for_pages_too() -> None:
    few = HttpSettings(languages=("de", "en"), pairs_per_request=2, text_characters=10)
    with TestClient(create_app(SharedWords(), few, Extras())) as client:
        answers = [
            client.post("/pages/try/scores", data={"query": query, "targets": targets})
            for query, targets in (("tea", "a\nb\nc"), ("t" * 11, "a"), ("tea", "a" * 11), ("tea", "a"))
        ]
    assert [each.status_code for each in answers] == [413, 413, 413, 200]


def test_a_form_without_a_query_asks_for_one(client: TestClient) -> None:
    assert "Write a query" in client.post("/pages/try/scores", data={"query": " ", "targets": "wok"}).text
