import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shopglot import cli
from tests import shop
from tests.browser import Chromium, find_chromium, launched
from tests.command import Command, Ended
from tests.tiny import tiny_encoder

# How long an example takes says something of the machine's load, nothing of the promise.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT encoder of two layers with the letters of the made-up shop."""
    return tiny_encoder(tmp_path_factory.mktemp("models") / "bert", shop.texts())


@pytest.fixture(scope="session")
def tiny_xlm_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as an XLM-R encoder."""
    return tiny_encoder(tmp_path_factory.mktemp("models") / "xlm-roberta", shop.texts(), "xlm-roberta")


@pytest.fixture(scope="session")
def full_precision() -> Iterator[None]:
    """Compute in float32, for bfloat16 rounds by how a batch is padded, and in one thread, for the models are tiny."""
    import torch

    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("encoder", "encoders"):
            patch.setattr(f"shopglot.learn.{module}.has_bf16", lambda: False)
        yield


@pytest.fixture
def shopglot(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process, as the installed script does."""

    def command(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["shopglot", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, *capfd.readouterr())

    return command


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One headless Chromium for all tests of pages."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    with launched(program) as browser:
        yield browser
