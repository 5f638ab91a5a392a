"""The command as it runs: a process of its own, asked over loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shopglot.core.errors import RecipeError
from shopglot.pack.bundle import Bundle
from shopglot.serve.http.model import encoder_of
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.run import Given, load_served, serve
from shopglot.serve.http.settings import HttpSettings
from tests import shop
from tests.command import Command, refused
from tests.pack.conftest import *  # noqa: F403  # the tiny bundles
from tests.serve.review_files import review_file, suspects


@pytest.fixture(scope="module")
def folder(lexical: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    lexical.save(folder / "bundle")
    (folder / "taxonomy.txt").write_text("".join(f"{path}\n" for path in shop.PATHS))
    (folder / "limits.yaml").write_text("languages: [de, en]\nlog_queries: false\n")
    for path in (folder / "bundle").rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--port",
        str(port),
        "--taxonomy",
        str(folder / "taxonomy.txt"),
        "--settings",
        str(folder / "limits.yaml"),
    ]
    running = subprocess.Popen(
        [sys.executable, "-m", "shopglot", "serve", str(folder / "bundle"), *options],
        env={**os.environ, "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(running, address)
        yield running, address
    finally:
        running.kill()
        running.communicate()


def wait_until_ready(running: subprocess.Popen[str], address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/ready", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert running.poll() is None, running.communicate()
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it never was ready")


def post(address: str, body: object) -> tuple[int, object]:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.load(answer)


@pytest.mark.enable_socket
@pytest.mark.parametrize("host", ["127.0.0.1", "300.1.1.1", ""])
def test_an_address_that_cannot_be_had_is_said(host: str, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RecipeError, match=r"choose another --port or --host|--host is empty"):
            serve(folder / "bundle", Given(), HttpSettings(), host=host, port=port, begun=pytest.fail)


@pytest.mark.enable_socket
def test_a_small_answer_is_sent_at_once(server: tuple[subprocess.Popen[str], str]) -> None:
    _, address = server
    seconds = []
    with httpx.Client(base_url=address, trust_env=False) as client:
        for _ in range(60):
            began = time.perf_counter()
            assert client.post("/rerank?task=QC", json={"query": "tea", "texts": ["black tea"]}).status_code == 200
            seconds.append(time.perf_counter() - began)
    assert min(seconds[40:]) < 0.03  # a packet that waits for others takes 0.04 more, but not on a new connection


@pytest.mark.enable_socket
def test_a_bundle_is_served_and_told_to_end_it_finishes_what_it_took(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    running, address = server
    status, answer = post(f"{address}/rerank?task=QC", {"query": "black tea", "texts": list(shop.PATHS)})
    assert status == 200
    assert isinstance(answer, list)
    assert shop.PATHS[answer[0]["index"]] == "food,tea,black tea"
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as gone:
        gone.sendall(b"POST /rerank HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    body = json.dumps({"query": "tea", "texts": ["black tea"]}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        head = f"POST /rerank HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\nexpect: 100-continue\r\n"
        client.sendall(head.encode() + b"content-type: application/json\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 100")  # it is taken
        running.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        client.sendall(body)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    out, err = running.communicate(timeout=30)
    assert out.strip() == address
    assert "Traceback" not in err
    assert "black tea" not in err
    assert running.returncode in (0, -signal.SIGTERM)


def test_what_cannot_be_served_is_refused_in_one_sentence(shopglot: Command, folder: Path) -> None:
    refused(shopglot("serve", folder), "is not a bundle")
    refused(shopglot("serve", folder / "bundle", "--taxonomy", folder / "absent"), "there is no taxonomy file")
    refused(shopglot("serve", folder / "bundle", "--api-keys", folder / "absent"), "there is no file of API keys")
    (folder / "wrong.yaml").write_text("dedline_seconds: 3\n")
    refused(
        shopglot("serve", folder / "bundle", "--settings", folder / "wrong.yaml"), "did you mean 'deadline_seconds'"
    )


def test_the_encoder_inside_a_bundle_finds_categories_too(embedding: Bundle, folder: Path) -> None:
    assert encoder_of(embedding) is not None
    embedding.save(folder / "embedding")
    _, extras = load_served(folder / "embedding", Given(taxonomy=[folder / "taxonomy.txt"]))
    assert extras.suggester is not None
    assert extras.suggester.vectors is not None
    assert extras.suggester.candidates(["green tea"], 3)
    assert extras.tasks == ("QC", "QI")


def test_without_a_taxonomy_there_is_nothing_to_suggest_from(lexical: Bundle, folder: Path) -> None:
    _, extras = load_served(folder / "bundle", Given())
    assert (extras.suggester, extras.keys, extras.translating, extras.facts["name"]) == (None, None, None, "made up")
    assert encoder_of(lexical) is None


def test_a_report_and_a_review_file_are_taken_and_what_became_of_its_decisions_is_logged(
    lexical: Bundle, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    review = review_file(tmp_path / "review.csv")
    with Reviews(review) as earlier:
        earlier.decide(earlier.file.suspects[0].key, "keep", "ana", version=0)
    review_file(review, suspects(9))
    (tmp_path / "report.html").write_text("a report")
    _, extras = load_served(folder / "bundle", Given(run=tmp_path, review=review))
    assert extras.report == tmp_path / "report.html"
    assert extras.reviews is not None
    extras.reviews.close()
    assert "review.csv has changed since; all 1 decisions still hold" in caplog.text


def test_what_is_no_report_or_review_is_refused_before_it_listens(
    folder: Path, tmp_path: Path, shopglot: Command
) -> None:
    (tmp_path / "notes.csv").write_text("id,query,target\n1,tea,food\n")
    refused(shopglot("serve", folder / "bundle", "--review", tmp_path / "notes.csv"), "lacks label")
    refused(shopglot("serve", folder / "bundle", "--review", tmp_path / "absent.csv"), "there is no file")
    refused(shopglot("serve", folder / "bundle", "--report", tmp_path), "holds no report.html")
