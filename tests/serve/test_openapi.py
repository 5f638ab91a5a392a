"""The description of the interface is true: what it allows is answered as it says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from starlette.testclient import TestClient

from shopglot.serve.app import Extras, create_app
from shopglot.serve.security import Key, Keys
from shopglot.serve.suggest import Suggester
from tests import shop
from tests.serve.conftest import FEW_LANGUAGES
from tests.serve.doubles import SharedWords
from tests.serve.keys import ADMIN, digest

CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXTRAS = Extras(suggester=Suggester.of(shop.PATHS, None), keys=Keys((Key("boss", digest(ADMIN), admin=True),)))
APP = create_app(SharedWords(), FEW_LANGUAGES, EXTRAS)
HEADERS = {"Authorization": f"Bearer {ADMIN}"}
SCHEMA = schemathesis.openapi.from_dict(APP.openapi())
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def asked() -> Iterator[TestClient]:
    with TestClient(APP, headers=HEADERS) as client:
        yield client


def examples(number: int) -> Any:
    """Return the settings of so many examples, the same in every run."""
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
