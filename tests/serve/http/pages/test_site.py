import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.pages.addresses import own_address


def test_the_first_page_is_try(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/try")


def test_a_page_marks_its_place_and_names_the_model(client: TestClient) -> None:
    page = client.get("/try").text
    assert '<a href="/try" aria-current="page">Try</a>' in page
    assert "doubles" in page


def test_a_page_needs_nothing_from_elsewhere_and_has_neither_script_nor_style_inside(client: TestClient) -> None:
    answer = client.get("/try")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    for inside in ("http://", "https://", "<style", "style=", "onclick", "<script>"):
        assert inside not in answer.text, inside


def test_style_and_scripts_may_be_kept_for_their_address_changes_with_them(client: TestClient) -> None:
    page = client.get("/try").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    style = client.get(address)
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]


@pytest.mark.parametrize("name", ["absent.css", "..%2Fsite.py", "%2e%2e/site.py", "style.css/x"])
def test_no_other_file_is_given_away(client: TestClient, name: str) -> None:
    assert client.get(f"/pages/static/{name}").status_code == 404


def test_machines_are_not_told_of_pages(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if path in ("/", "/try", "/sign-in") or path.startswith("/pages")]


def test_what_a_page_cannot_show_it_says_as_a_page(client: TestClient) -> None:
    answer = client.post("/try", data={"query": "tea", "targets-QI": "wok", "language": "tlh"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "The form holds a task or a language that the page does not offer." in answer.text


@pytest.mark.parametrize("body", [b"query=\xff", b"&".join([b"a=b"] * 200)])
def test_what_is_no_form_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/pages/try/scores", content=body).status_code == 400


@pytest.mark.parametrize("origin", [{"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere.example"}])
def test_a_page_of_another_origin_can_send_no_form(client: TestClient, origin: dict[str, str]) -> None:
    form = {"query": "tea", "targets-QI": "wok"}
    assert client.post("/try", data=form, headers=origin).status_code == 403
    assert client.post("/rerank", json={"query": "tea", "texts": ["wok"]}, headers=origin).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "//e.example",
        "https://e.example/try",
        "/\\e.example",
        "/try\n",
        "/rerank",
        "/sign-in",
        "try",
        "",
        "//[",
        "/try\\",
    ],
)
def test_nobody_is_sent_to_another_place(address: str) -> None:
    assert own_address(address) == "/"
