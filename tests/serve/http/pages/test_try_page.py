import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.policy import Policies, Policy, Threshold
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from tests import shop
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import PLAIN, SharedWords

FORM = {"query": "green tea", "task": "QI", "targets-QI": "wok\r\n  green tea pot \r\n\r\nblack tea\nwok"}


def test_each_line_is_scored_once_and_the_most_probable_is_first(client: TestClient) -> None:
    part = client.post("/pages/try/scores", data=FORM).text
    assert "<strong>2 of 3</strong> are relevant" in part
    assert part.index("green tea pot") < part.index("black tea") < part.index("wok")
    assert part.count("not relevant") == 1


def test_a_score_is_a_figure_a_bar_with_the_threshold_in_it_and_a_word(client: TestClient) -> None:
    part = client.post("/pages/try/scores", data=FORM | {"targets-QI": "green tea pot"}).text
    assert "0.950" in part
    assert '<rect class="fill" width="95.0%"' in part
    assert '<line class="cut" x1="50.0%" x2="50.0%"' in part
    assert "relevant</span>" in part


def test_without_scripts_the_page_itself_has_the_answers(client: TestClient) -> None:
    page = client.post("/try", data=FORM | {"words": "wok"}).text
    assert "<strong>2 of 3</strong> are relevant" in page
    assert 'value="green tea"' in page
    assert "wok\ngreen tea pot\nblack tea</textarea>" in page
    assert "Best: <strong>green tea</strong>" in page
    assert page.count('aria-expanded="true"') == 1
    assert '<dl class="words">' in page


def test_the_page_offers_an_example_for_each_task_and_leaves_the_asking_to_its_script(client: TestClient) -> None:
    page = client.get("/try").text
    assert "Orthopedic Dog Bed" in page
    assert any(path in page for path in shop.PATHS)  # categories of the server's own tree
    assert 'data-part="/pages/try/scores">\n</div>' in page
    assert 'lang="ar" title="Arabic">سماعات لاسلكية</button>' in page


@pytest.mark.parametrize("path", ["/try", "/pages/try/scores", "/pages/try/words", "/pages/try/categories"])
def test_what_somebody_writes_stays_text(client: TestClient, path: str) -> None:
    evil = "\"'><script>alert(1)</script>"
    page = client.post(path, data={"query": evil, "targets-QI": f"</textarea>{evil}", "words": evil})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&#34;&#39;&gt;" in page.text or path.endswith("categories")


def test_texts_are_set_in_their_own_direction(client: TestClient) -> None:
    form = {"query": "سماعات", "targets-QI": "سماعات لاسلكية"}
    page = client.post("/try", data=form).text
    assert 'id="query" name="query" dir="auto"' in page
    assert 'name="targets-QI" rows="11" dir="auto"' in page
    assert '<bdi class="text" lang="">سماعات لاسلكية</bdi>' in page


def test_the_language_is_detected_or_as_somebody_says(client: TestClient) -> None:
    detected = client.post("/pages/try/scores", data=FORM | {"query": "ein grünes hundebett"}).text
    assert '<strong>German</strong> <span class="quiet">(de, detected)' in detected
    said = client.post("/pages/try/scores", data=FORM | {"language": "ar"}).text
    assert '<strong>Arabic</strong> <span class="quiet">(ar, as you said)' in said


def test_a_server_without_a_translator_says_so_when_asked_and_does_not_offer_it(client: TestClient) -> None:
    assert 'name="translate"' not in client.get("/try").text
    part = client.post("/pages/try/scores", data=FORM | {"translate": "on"}).text
    assert "This server has no translator" in part


def test_categories_are_those_of_the_tree_or_none_fits(client: TestClient) -> None:
    part = client.post("/pages/try/categories", data={"query": "green tea"}).text
    assert "Best: <strong>green tea</strong>" in part
    assert "food" in part
    assert "No category fits" in client.post("/pages/try/categories", data={"query": "green zzz qqq"}).text
    assert "Write a query" in client.post("/pages/try/categories", data={"query": ""}).text


def test_a_word_counts_what_the_probability_falls_without_it(client: TestClient) -> None:
    part = client.post("/pages/try/words", data=FORM | {"words": "green wok"}).text
    assert '<span class="word against-3">tea<small dir="ltr">−0.450</small>' in part
    assert '<span class="word for-3">green<small dir="ltr">+0.450</small>' in part
    assert client.post("/pages/try/words", data=FORM).status_code == 422


def test_limits_hold_for_pages_too() -> None:
    few = HttpSettings(languages=("de", "en"), pairs_per_request=2, text_characters=10)
    with TestClient(create_app(SharedWords(), few, Extras())) as client:
        answers = [
            client.post(f"/pages/try/{part}", data={"query": query, "targets-QI": targets, "words": targets})
            for part, query, targets in (
                ("scores", "tea", "a\nb\nc"),
                ("scores", "t" * 11, "a"),
                ("scores", "tea", "a" * 11),
                ("words", "green tea", "a"),
                ("words", "tea", "a" * 11),
                ("categories", "t" * 11, ""),
                ("scores", "tea", "a"),
            )
        ]
    assert [each.status_code for each in answers] == [413, 413, 413, 413, 413, 413, 200]


def test_a_form_without_a_query_asks_for_one(client: TestClient) -> None:
    assert "Write a query" in client.post("/pages/try/scores", data=FORM | {"query": " "}).text


def test_log_lines_hold_no_query(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "shopglot"):
        client.post("/pages/try/scores", data=FORM | {"query": "geheim"})
        client.post("/try", data=FORM | {"query": "geheim", "words": "geheim"})
    assert "POST /pages/try/scores 200" in caplog.text
    assert "geheim" not in caplog.text


@dataclass(eq=False)
class OfCategories(SharedWords):
    """The same, but it decides category paths alone."""


@pytest.fixture(scope="module")
def of_categories() -> Iterator[TestClient]:
    policies = Policies()
    policies.replace(Policy(thresholds=(Threshold(task="QC", category="home", threshold=0.99),)), based_on=0)
    extras = Extras(tasks=("QC",), policies=policies, decision=PLAIN, suggester=Suggester.of(shop.PATHS, None))
    with TestClient(create_app(OfCategories(), FEW_LANGUAGES, extras)) as client:
        yield client


def test_one_task_needs_no_choice(of_categories: TestClient) -> None:
    page = of_categories.get("/try").text
    assert '<input type="hidden" name="task" value="QC">' in page
    assert "targets-QI" not in page


def test_each_threshold_is_shown_where_they_differ_and_who_chose_it(of_categories: TestClient) -> None:
    form = {"query": "green tea", "task": "QC", "targets-QC": "food,tea,green tea\nhome,tea,green"}
    part = of_categories.post("/pages/try/scores", data=form).text
    assert 'from <strong class="number">0.500</strong> to <strong class="number">0.990</strong>' in part
    assert "chosen for all of QC, whatever the language" in part
    assert "version 1 of this server" in part
    assert "≥ 0.500" in part
    assert "&lt; 0.990" in part
    assert "food <" in part
    assert "<strong>green tea</strong>" in part  # a path is shown level by level


def test_a_text_that_is_too_long_is_refused_before_it_is_taken_apart(client: TestClient) -> None:
    began = time.perf_counter()
    answer = client.post("/pages/try/words", data=FORM | {"words": "x " * 200_000})
    assert answer.status_code == 413
    assert time.perf_counter() - began < 5
