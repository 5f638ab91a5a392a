import pytest
from starlette.testclient import TestClient

from tests import shop


def test_relevance_says_what_was_decided_and_why(client: TestClient) -> None:
    pairs = [{"query": "green tea", "target": "Green Tea 5 kg"}, {"query": "green tea", "target": "wok"}]
    answer = client.post("/v1/relevance", json={"pairs": pairs}).json()
    first, second = answer["results"]
    assert (first["probability"], first["relevant"], first["threshold"]) == (pytest.approx(0.95), True, 0.5)
    assert (second["relevant"], second["threshold_of"], answer["policy"]) == (False, "bundle", 0)


@pytest.mark.parametrize(
    ("query", "given", "language", "how"),
    [
        ("hundebett für große hunde", None, "de", "detected"),
        ("سماعات لاسلكية", None, "ar", "detected"),
        ("tv", None, None, "unknown"),
        ("hundebett für große hunde", "nl", "nl", "given"),
    ],
)
def test_the_language_is_that_given_or_else_detected(
    client: TestClient, query: str, given: str | None, language: str | None, how: str
) -> None:
    pair = {"query": query, "target": "tea", "language": given}
    (result,) = client.post("/v1/relevance", json={"pairs": [pair]}).json()["results"]
    assert (result["language"], result["language_from"]) == (language, how)


def test_without_a_translator_the_answer_says_so(client: TestClient) -> None:
    pairs = [{"query": "thé vert", "target": "tea"}, {"query": "thé", "english": "tea", "target": "tea"}]
    results = client.post("/v1/relevance", json={"pairs": pairs, "translate": True}).json()["results"]
    assert [each["translation_outcome"] for each in results] == ["no-translator", "given"]
    assert [each["translation"] for each in results] == [None, "tea"]
    (unasked,) = client.post("/v1/relevance", json={"pairs": pairs[:1]}).json()["results"]
    assert unasked["translation_outcome"] == "not-asked"


def test_an_empty_query_is_answered_with_a_flag(client: TestClient) -> None:
    (result,) = client.post("/v1/relevance", json={"pairs": [{"query": " ", "target": "tea"}]}).json()["results"]
    assert result["flag"] == "empty query"


def test_categories_come_from_the_tree_and_the_best_is_first(client: TestClient) -> None:
    answer = client.post("/v1/categories", json={"query": "green tea"}).json()
    assert answer["categories"][0]["levels"] == ["food", "tea", "green tea"]
    assert not answer["none_fits"]
    every = {path[:end] for path in shop.PATHS for end in range(len(path) + 1)}
    assert {each["path"] for each in answer["categories"]} <= every


def test_no_category_may_fit(client: TestClient) -> None:
    answer = client.post("/v1/categories", json={"query": "tearing grain"}).json()
    assert (answer["none_fits"], answer["categories"]) == (True, [])
    shown = client.post("/v1/categories", json={"query": "tearing grain", "below_threshold": True, "top": 2}).json()
    assert [each["relevant"] for each in shown["categories"]] == [False, False]
    assert shown["none_fits"]


def test_a_query_that_shares_no_letter_with_the_tree_fits_nowhere(client: TestClient) -> None:
    answer = client.post("/v1/categories", json={"query": "ۆ", "below_threshold": True}).json()
    assert (answer["none_fits"], answer["categories"]) == (True, [])
