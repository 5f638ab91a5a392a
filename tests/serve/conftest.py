from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from shopglot.serve.http.app import Extras, create_app
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from tests import shop
from tests.serve.deciders import SharedWords

FEW_LANGUAGES = HttpSettings(languages=("ar", "de", "en"), queue_seconds=60, deadline_seconds=60)
"""Each language takes its time to load, and a busy machine its time to answer."""


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    extras = Extras(suggester=Suggester.of(shop.PATHS, None), facts={"name": "doubles", "sha256": "9f86d0"})
    with TestClient(create_app(SharedWords(), FEW_LANGUAGES, extras)) as asked:
        yield asked
