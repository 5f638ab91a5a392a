import time
from collections.abc import Sequence
from typing import Any

from starlette.testclient import TestClient

from shopglot.core.errors import RecipeError
from shopglot.enrich.enrich import Translating
from shopglot.enrich.protected import Protected
from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.settings import HttpSettings
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.deciders import SharedWords

KNOWN = {"grüner tee": "green tea", "schwarzer tee": "black tea"}


class Dictionary:
    """Translates what it knows, from German alone."""

    name = "dictionary"

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked: list[str] = []
        self.seconds = seconds

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        time.sleep(self.seconds)
        self.asked += texts
        if source != "de":
            raise RecipeError(f"no {source}")
        return [KNOWN.get(text) for text in texts]


def asked(dictionary: Dictionary, body: dict[str, Any], settings: HttpSettings = FEW_LANGUAGES) -> list[dict[str, Any]]:
    extras = Extras(translating=Translating(dictionary, "en", None, Protected()))
    with TestClient(create_app(SharedWords(), settings, extras)) as client:
        answer = client.post("/v1/relevance", json=body).json()
    results: list[dict[str, Any]] = answer.get("results", [answer])
    return results


def pair(query: str, language: str | None = "de", english: str | None = None) -> dict[str, Any]:
    return {"query": query, "target": "green tea", "language": language, "english": english}


def test_a_query_is_translated_on_request_and_the_answer_says_what_became_of_it() -> None:
    pairs = [
        pair("Grüner  Tee"),
        pair("roter tee"),
        pair("green tea", "en"),
        pair("thé vert", "fr"),
        pair("tee", english="tea"),
    ]
    results = asked(Dictionary(), {"pairs": pairs, "translate": True})
    assert [(each["translation_outcome"], each["translation"]) for each in results] == [
        ("new", "green tea"),
        ("no-translation", None),
        ("kept-same-language", "green tea"),
        ("unknown-language", None),
        ("given", "tea"),
    ]


def test_a_language_that_was_not_given_is_detected_before_it_is_translated() -> None:
    dictionary = Dictionary()
    (result,) = asked(dictionary, {"pairs": [pair("grüner tee", None)], "translate": True})
    assert (result["language"], result["language_from"]) == ("de", "detected")
    assert result["translation"] == "green tea"


def test_nothing_is_translated_without_being_asked() -> None:
    dictionary = Dictionary()
    (result,) = asked(dictionary, {"pairs": [pair("grüner tee")]})
    assert (result["translation_outcome"], dictionary.asked) == ("not-asked", [])


def test_a_translation_that_takes_too_long_is_given_up() -> None:
    settings = FEW_LANGUAGES.model_copy(update={"deadline_seconds": 0.05, "queue_seconds": 0.05})
    (answer,) = asked(Dictionary(seconds=0.3), {"pairs": [pair("grüner tee")], "translate": True}, settings)
    assert answer["error_type"] == "Overloaded"


def test_clients_of_other_servers_ask_for_it_in_the_address() -> None:
    dictionary = Dictionary()
    extras = Extras(translating=Translating(dictionary, "en", None, Protected()))
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, extras)) as client:
        body = {"query": "grüner tee", "texts": ["tea", "wok"]}
        assert client.post("/rerank?translate=true&language=de", json=body).status_code == 200
    assert dictionary.asked == ["grüner tee"]
