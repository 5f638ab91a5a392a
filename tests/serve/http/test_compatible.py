"""The schemas that clients of other servers already speak."""

import pytest
from starlette.testclient import TestClient

QUERY = "green tea"
TEXTS = ["stock pot", "green tea, loose", "black tea"]


def test_tei_orders_texts_by_their_scores(client: TestClient) -> None:
    answer = client.post("/rerank", json={"query": QUERY, "texts": TEXTS}).json()
    assert [(each["index"], round(each["score"], 2)) for each in answer] == [(1, 0.95), (2, 0.5), (0, 0.05)]
    assert set(answer[0]) == {"index", "score"}


def test_tei_returns_texts_and_log_odds_when_asked(client: TestClient) -> None:
    asked = {"query": QUERY, "texts": TEXTS, "return_text": True, "raw_scores": True, "truncate": True}
    answer = client.post("/rerank", json=asked | {"truncation_direction": "Right"}).json()
    assert [each["text"] for each in answer] == ["green tea, loose", "black tea", "stock pot"]
    assert answer[2]["score"] == pytest.approx(-2.944, abs=1e-3)


def test_tei_predicts_one_pair_or_many(client: TestClient) -> None:
    one = client.post("/predict", json={"inputs": [QUERY, "stock pot"]}).json()
    assert [each["label"] for each in one] == ["irrelevant", "relevant"]
    assert sum(each["score"] for each in one) == pytest.approx(1)
    assert client.post("/predict", json={"inputs": [[QUERY, "stock pot"]] * 2}).json() == [one, one]


@pytest.mark.parametrize("inputs", ["green tea", ["green tea"], ["a", "b", "c"], [["a", "b"], "c"], [["a"]]])
def test_tei_predicts_nothing_but_pairs(client: TestClient, inputs: object) -> None:
    answer = client.post("/predict", json={"inputs": inputs})
    assert answer.status_code == 422
    assert answer.json()["error_type"] == "Validation"


def test_tei_says_what_serves(client: TestClient) -> None:
    answer = client.get("/info").json()
    assert (answer["model_id"], answer["model_sha"]) == ("doubles", "9f86d0")
    assert answer["max_client_batch_size"] == 1000


def test_cohere_and_jina_are_answered_by_one_path(client: TestClient) -> None:
    documents = [TEXTS[0], {"text": TEXTS[1]}, TEXTS[2]]
    asked = {"model": "rerank-3", "query": QUERY, "documents": documents, "top_n": 2, "return_documents": True}
    answer = client.post("/v1/rerank", json=asked).json()
    assert [each["index"] for each in answer["results"]] == [1, 2]
    assert answer["results"][0]["document"] == {"text": TEXTS[1]}
    assert answer["results"][0]["relevance_score"] == pytest.approx(0.95)
    assert answer["meta"]["api_version"] == {"version": "1"}
    assert answer["usage"]["total_tokens"] > 0
    assert answer["model"] == "rerank-3"


def test_cohere_version_2_returns_no_documents(client: TestClient) -> None:
    asked = {"model": "rerank-v3.5", "query": QUERY, "documents": TEXTS, "max_tokens_per_doc": 400}
    answer = client.post("/v2/rerank", json=asked).json()
    assert set(answer) == {"id", "results", "meta"}
    assert [set(each) for each in answer["results"]] == [{"index", "relevance_score"}] * 3


@pytest.mark.parametrize("names", [("text_1", "text_2"), ("queries", "documents")])
def test_vllm_scores_in_the_order_of_the_pairs(client: TestClient, names: tuple[str, str]) -> None:
    answer = client.post("/score", json={"model": "m", names[0]: QUERY, names[1]: TEXTS}).json()
    assert answer["object"] == "list"
    assert [each["index"] for each in answer["data"]] == [0, 1, 2]
    assert [each["score"] for each in answer["data"]] == pytest.approx([0.05, 0.95, 0.5])
    by_pair = client.post("/score", json={names[0]: [QUERY] * 3, names[1]: TEXTS}).json()
    assert by_pair["data"] == answer["data"]
    assert by_pair["model"] == "doubles"


@pytest.mark.parametrize("body", [{"text_1": "a"}, {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]}, {}])
def test_vllm_refuses_texts_that_make_no_pairs(client: TestClient, body: dict[str, object]) -> None:
    answer = client.post("/score", json=body)
    assert answer.status_code == 422
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("given", [f"{QUERY}\tgreen tea", [f"{QUERY}\tgreen tea"], [[QUERY, "green tea"]]])
def test_vllm_classifies_pairs(client: TestClient, given: object) -> None:
    (data,) = client.post("/classify", json={"input": given}).json()["data"]
    assert (data["label"], data["num_classes"]) == ("relevant", 2)
    assert data["probs"] == pytest.approx([0.05, 0.95])


def test_vllm_classifies_nothing_but_pairs(client: TestClient) -> None:
    assert client.post("/classify", json={"input": "green tea"}).status_code == 422
