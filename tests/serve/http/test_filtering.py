from typing import Any

import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.policy import Policies, Policy, Threshold
from shopglot.serve.http.security import Key, Keys
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.keys import ADMIN, READER, digest

CANDIDATES = ["green tea", "black tea", "wok", "tea pot"]


def filtered(policy: Policy, **asked: Any) -> dict[str, Any]:
    """Return the answer of a server with this policy."""
    policies = Policies()
    policies.replace(policy, based_on=0)
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(policies=policies))) as client:
        body = {"query": "green tea", "candidates": CANDIDATES, "task": "QI"} | asked
        answer: dict[str, Any] = client.post("/v1/filter", json=body).json()
    return answer


def kept(answer: dict[str, Any]) -> list[int]:
    return [each["index"] for each in answer["kept"]]


def test_the_relevant_stay_in_the_order_they_came_in(client: TestClient) -> None:
    answer = client.post("/v1/filter", json={"query": "green tea", "candidates": CANDIDATES}).json()
    assert kept(answer) == [0, 1, 3]
    assert [(each["index"], each["reason"]) for each in answer["removed"]] == [(2, "below-threshold")]
    assert (answer["would_remove"], answer["policy"], answer["language"]) == ([2], 0, "en")


def test_a_list_is_never_emptied_unless_told_to(client: TestClient) -> None:
    asked: dict[str, Any] = {"query": "snorkel", "candidates": ["wok", "green tea", "snork"]}
    answer = client.post("/v1/filter", json=asked).json()
    assert [(each["index"], each["reason"]) for each in answer["kept"]] == [(0, "kept-so-that-some-are-left")]
    assert kept(client.post("/v1/filter", json=asked | {"keep_at_least": 2}).json()) == [0, 1]
    assert kept(client.post("/v1/filter", json=asked | {"keep_at_least": 0}).json()) == []


def test_the_shops_lists_stand_above_the_model() -> None:
    policy = Policy.model_validate({"allow": [{"target": "WOK"}], "block": [{"target": "green tea"}]})
    answer = filtered(policy)
    assert [(each["index"], each["reason"]) for each in answer["kept"]] == [
        (1, "relevant"),
        (2, "allowed"),
        (3, "relevant"),
    ]
    assert (answer["removed"][0]["reason"], answer["policy"]) == ("blocked", 1)


def test_what_is_blocked_does_not_come_back_to_fill_the_list() -> None:
    policy = Policy.model_validate({"block": [{"query": "green tea"}]})
    assert kept(filtered(policy)) == []


def test_in_shadow_mode_all_stay_and_what_would_go_is_recorded() -> None:
    answer = filtered(Policy(shadow=True, thresholds=(Threshold(task="QI", threshold=0.9),)))
    assert (kept(answer), answer["removed"], answer["would_remove"]) == ([0, 1, 2, 3], [], [1, 2, 3])
    assert answer["shadow"]


@pytest.fixture
def keys() -> Keys:
    return Keys((Key("reader", digest(READER)), Key("boss", digest(ADMIN), admin=True)))


@pytest.fixture
def keyed(keys: Keys) -> TestClient:
    return TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(keys=keys)))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_thresholds_are_replaced_and_rolled_back_over_http(keyed: TestClient) -> None:
    strict = {"thresholds": [{"task": "QI", "threshold": 0.9}], "note": "strict"}
    body = {"query": "green tea", "candidates": CANDIDATES}
    with keyed:
        assert kept(keyed.post("/v1/filter", json=body, headers=bearer(READER)).json()) == [0, 1, 3]
        made = keyed.put("/v1/policy", json={"based_on": 0, "policy": strict}, headers=bearer(ADMIN))
        assert made.json()["version"] == 1
        assert kept(keyed.post("/v1/filter", json=body, headers=bearer(READER)).json()) == [0]
        stale = keyed.put("/v1/policy", json={"based_on": 0, "policy": {}}, headers=bearer(ADMIN))
        assert stale.status_code == 409
        back = keyed.post("/v1/policy/rollback", json={"version": 0, "based_on": 1}, headers=bearer(ADMIN))
        assert back.json()["version"] == 2
        assert kept(keyed.post("/v1/filter", json=body, headers=bearer(READER)).json()) == [0, 1, 3]
        assert keyed.get("/v1/policy/1", headers=bearer(READER)).json()["policy"]["note"] == "strict"
        assert keyed.get("/v1/policy/9", headers=bearer(READER)).status_code == 404
        assert keyed.get("/v1/policy", headers=bearer(READER)).json()["version"] == 2


def test_only_an_admin_changes_a_policy(keyed: TestClient, client: TestClient) -> None:
    change = {"based_on": 0, "policy": {}}
    with keyed:
        assert keyed.put("/v1/policy", json=change, headers=bearer(READER)).status_code == 403
        assert keyed.put("/v1/policy", json=change).status_code == 401
    assert client.put("/v1/policy", json=change).status_code == 403
    assert client.post("/v1/policy/rollback", json={"version": 0, "based_on": 0}).status_code == 403


def test_a_threshold_for_a_task_that_the_model_does_not_decide_is_refused(keys: Keys) -> None:
    change = {"based_on": 0, "policy": {"thresholds": [{"task": "QI", "threshold": 0.7}]}}
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(tasks=("QC",), keys=keys))) as client:
        answer = client.put("/v1/policy", json=change, headers=bearer(ADMIN))
        assert answer.status_code == 422
        assert "the model decides QC, not QI" in answer.text
        assert client.get("/v1/policy", headers=bearer(ADMIN)).json()["version"] == 0


def test_what_is_refused_without_a_key_is_counted_by_its_path(keyed: TestClient) -> None:
    with keyed:
        keyed.get("/v1/policy")
        text = keyed.get("/metrics", headers=bearer(READER)).text
    assert 'shopglot_requests_total{path="/v1/policy",status="401"} 1.0' in text
