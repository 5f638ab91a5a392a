from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.settings import HttpSettings
from tests.serve.deciders import SharedWords

FEW = HttpSettings(languages=("ar", "de", "en"), pairs_per_request=3, text_characters=10)


@pytest.fixture(scope="module")
def limited() -> Iterator[TestClient]:
    with TestClient(create_app(SharedWords(), FEW, Extras(tasks=("QC",)))) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/rerank", {"query": "tea", "texts": []}, 400, "Empty"),
        ("/rerank", {"query": "tea", "texts": ["a"] * 4}, 413, "Validation"),
        ("/rerank", {"query": "tea", "texts": ["a" * 11]}, 413, "Validation"),
        ("/rerank", {"query": "t" * 11, "texts": ["a"]}, 413, "Validation"),
        ("/rerank?task=QI", {"query": "tea", "texts": ["a"]}, 422, "Validation"),
        ("/rerank?task=XX", {"query": "tea", "texts": ["a"]}, 422, "Validation"),
        ("/rerank?language=deutsch", {"query": "tea", "texts": ["a"]}, 422, "Validation"),
        ("/rerank", {"query": "tea"}, 422, "Validation"),
        ("/predict", {"inputs": []}, 400, "Empty"),
        ("/v1/relevance", {"pairs": []}, 400, "Empty"),
        ("/v1/relevance", {"pairs": [{"query": "tea", "target": "a", "english": "e" * 11}]}, 413, "Validation"),
        ("/v1/relevance", {"pairs": [{"query": "tea", "target": "a", "task": "QI"}]}, 422, "Validation"),
        ("/v1/filter", {"query": "tea", "candidates": ["a"] * 4}, 413, "Validation"),
        ("/v1/categories", {"query": "tea"}, 422, "Validation"),
        ("/nowhere", {}, 404, "Validation"),
        ("/info", {}, 405, "Validation"),
    ],
)
def test_what_is_not_answered_says_why(
    limited: TestClient, path: str, body: dict[str, object], status: int, kind: str
) -> None:
    answer = limited.post(path, json=body)
    assert (answer.status_code, answer.json()["error_type"]) == (status, kind)
    assert set(answer.json()) == {"error", "error_type"}


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_clients_of_cohere_and_jina_read_errors_in_their_own_form(limited: TestClient, path: str) -> None:
    answer = limited.post(path, json={"query": "tea", "documents": ["a"] * 4})
    assert answer.status_code == 413
    assert answer.json() == dict.fromkeys(("message", "detail"), "a request has at most 3 pairs, not 4")


def test_the_task_is_that_of_the_address_the_model_or_the_server(client: TestClient) -> None:
    comma = {"query": "wok", "documents": ["home,wok"]}  # a path to QC, a title to QI: each cleans it in its own way
    tasks = {
        address: client.post(address, json=comma | {"model": model}).status_code
        for address, model in (("/v2/rerank?task=QC", "any"), ("/v2/rerank", "any:qc"), ("/v2/rerank", "any"))
    }
    assert set(tasks.values()) == {200}
    text = client.get("/metrics").text
    assert 'shopglot_probability_count{language="unknown",task="QC"} 1.0' in text  # the second time from the cache
    assert 'shopglot_probability_count{language="unknown",task="QI"}' in text


@pytest.mark.parametrize(
    "wrong",
    [{"queue_pairs": 10, "pairs_per_request": 11}, {"queue_seconds": 9.0, "deadline_seconds": 5.0}],
)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is above"):
        HttpSettings.model_validate(wrong)
