from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from shopglot.core.errors import DataError
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.security import Key, Keys, require_key
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords
from tests.serve.keys import ADMIN, READER, digest

BODY = {"query": "green tea", "texts": ["tea"]}
KEYS = Keys((Key("reader", digest(READER)),))


def test_a_file_of_keys_holds_names_hashes_and_who_is_admin(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# who may ask\nreader {digest(READER)}\n\nboss  {digest(ADMIN)} admin\n")
    keys = Keys.read(file)
    assert keys.known == (Key("reader", digest(READER)), Key("boss", digest(ADMIN), admin=True))
    assert keys.holder(ADMIN) == Key("boss", digest(ADMIN), admin=True)
    assert keys.holder(READER + " ") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no API key"),
        ("# nothing\n", "holds no API key"),
        (f"reader {READER}", "line 1 is no API key"),
        (f"# who\nreader {digest(READER)} boss", "line 2 is no API key"),
        (f"reader {digest('')}", "line 1 is the SHA-256 of an empty key"),
    ],
)
def test_a_file_that_would_lock_everyone_out_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(DataError, match=words) as refused:
        Keys.read(tmp_path / "keys")
    assert READER not in str(refused.value)
    with pytest.raises(DataError, match="there is no file of API keys"):
        Keys.read(tmp_path / "absent")


@pytest.fixture(scope="module")
def keyed() -> Iterator[TestClient]:
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, Extras(keys=KEYS))) as client:
        yield client


@pytest.mark.parametrize("header", [("Authorization", f"Bearer {READER}"), ("X-API-Key", READER)])
def test_a_known_key_opens(keyed: TestClient, header: tuple[str, str]) -> None:
    assert keyed.post("/rerank", json=BODY, headers=dict([header])).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", f"Bearer {digest(READER)}", f"Basic {READER}", f"Bearer {READER}\xff"])
def test_anything_else_does_not(keyed: TestClient, value: str) -> None:
    headers = Headers(raw=[(b"authorization", value.encode("latin-1"))])
    with pytest.raises(ServeError, match="an API key is needed") as refused:
        require_key(KEYS, "/rerank", headers)
    assert refused.value.status == 401
    if value.isascii():
        answer = keyed.post("/rerank", json=BODY, headers={"Authorization": value})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_without_a_key_it_says_that_it_lives_and_how_it_is_asked_and_no_more(keyed: TestClient) -> None:
    open_paths = {"/health", "/ready", "/docs", "/openapi.json"}
    assert {path: keyed.get(path).status_code for path in open_paths} == dict.fromkeys(open_paths, 200)
    for path in ("/metrics", "/info", "/v1/policy", "/nowhere", "/health/", "http://testserver//health"):
        assert keyed.get(path, follow_redirects=False).status_code == 401, path


def test_a_wrong_key_is_told_before_a_body_is_looked_at(keyed: TestClient) -> None:
    assert keyed.post("/rerank", content=b"x" * 2_000_000).status_code == 401


def test_a_file_of_keys_may_be_written_by_other_systems(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(f"\ufeffreader {digest(READER).upper()}\r\n".encode())
    assert Keys.read(tmp_path / "keys").holder(READER) == Key("reader", digest(READER))
    (tmp_path / "keys").write_bytes(f"reader {digest(READER)}".encode("utf-16"))
    with pytest.raises(DataError, match="is not in UTF-8; save it so"):
        Keys.read(tmp_path / "keys")


def test_nothing_is_no_key() -> None:
    assert Keys((Key("boss", digest(""), admin=True),)).holder("") is None
