from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.security import Key, Keys
from shopglot.serve.http.sessions import COOKIE
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.keys import READER, digest

APP = create_app(SharedWords(), FEW_LANGUAGES, Extras(keys=Keys((Key("reader", digest(READER)),))))


@pytest.fixture
def stranger() -> Iterator[TestClient]:
    with TestClient(APP, follow_redirects=False) as client:
        yield client


@pytest.fixture
def member(stranger: TestClient) -> TestClient:
    assert stranger.post("/sign-in", data={"key": f" {READER}\n", "next": "/try"}).headers["location"] == "/try"
    return stranger


def test_a_page_leads_a_stranger_to_the_sign_in_and_back(stranger: TestClient) -> None:
    answer = stranger.get("/try?a=b&c=d")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/try%3Fa%3Db%26c%3Dd")
    page = stranger.get(answer.headers["location"])
    assert page.status_code == 200
    assert 'value="/try?a=b&amp;c=d"' in page.text
    assert 'aria-label="Pages"' not in page.text


def test_parts_of_pages_are_refused_and_style_is_not(stranger: TestClient) -> None:
    assert stranger.post("/pages/try/scores", data={"query": "tea"}).status_code == 401
    assert stranger.get("/pages/static/style.css").status_code == 200


def test_a_wrong_key_is_told_and_not_repeated(stranger: TestClient) -> None:
    answer = stranger.post("/sign-in", data={"key": "guessed-wrong", "next": "/try"})
    assert answer.status_code == 403
    assert "not known" in answer.text
    assert "guessed-wrong" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_key_becomes_a_session_that_scripts_cannot_read_and_other_sites_cannot_use(stranger: TestClient) -> None:
    cookie = stranger.post("/sign-in", data={"key": READER, "next": "//elsewhere.example"})
    said = cookie.headers["set-cookie"]
    assert cookie.headers["location"] == "/"
    assert said.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in said.split(";")}
    assert "Secure" not in said
    assert READER not in said
    over_tls = TestClient(APP, base_url="https://testserver", follow_redirects=False)
    assert "Secure" in over_tls.post("/sign-in", data={"key": READER}).headers["set-cookie"]


def test_who_signed_in_sees_pages_and_may_ask_what_the_pages_ask(member: TestClient) -> None:
    page = member.get("/try")
    assert page.status_code == 200
    assert "reader" in page.text
    assert member.post("/rerank", json={"query": "tea", "texts": ["wok"]}).status_code == 200


def test_another_site_cannot_use_the_session(member: TestClient) -> None:
    asked = {"query": "tea", "texts": ["wok"]}
    elsewhere = {"origin": "http://elsewhere.example"}
    assert member.post("/rerank", json=asked, headers=elsewhere).status_code == 403
    assert member.post("/sign-out", headers=elsewhere).status_code == 403


def test_who_signs_out_is_a_stranger_again_even_with_the_old_cookie(member: TestClient) -> None:
    token = member.cookies[COOKIE]
    answer = member.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert member.get("/try").status_code == 303
    member.cookies.set(COOKIE, token)
    assert member.get("/try").status_code == 303


def test_a_form_that_a_stranger_sends_leads_to_the_sign_in(stranger: TestClient) -> None:
    answer = stranger.post("/try", data={"query": "tea", "targets-QI": "wok"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/try")


def test_without_keys_there_is_nothing_to_sign_in_to(client: TestClient) -> None:
    for answer in (client.get("/sign-in?next=/try", follow_redirects=False), client.post("/sign-in?next=/try")):
        assert answer.status_code in (200, 303)
    assert client.get("/sign-in", follow_redirects=False).headers["location"] == "/"
