from pathlib import Path

import pytest

from shopglot.enrich.translate_settings import Tags
from tests.enrich.tiny_translators import tiny_translator

FAMILIES: tuple[Tags, ...] = ("m2m", "nllb", "madlad")


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[Tags, Path]:
    """A shrunk sequence-to-sequence model of each family."""
    folder = tmp_path_factory.mktemp("translators")
    return {family: tiny_translator(folder / family, family) for family in FAMILIES}
