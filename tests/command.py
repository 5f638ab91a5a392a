"""The command line as a test sees it; the fixture `shopglot` runs it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def refused(ended: Ended, words: str) -> None:
    """Check for exit code 2 and one sentence on the error stream, the lines of the log apart."""
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    line = ended.err.strip().splitlines()[-1]
    assert line.startswith("error: ")
    assert words in line
    assert ended.err.count("error: ") == 1
