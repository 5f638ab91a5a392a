"""Reviews in processes of their own, which are killed while they write."""

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

from shopglot.serve.http.reviews.reviews import Reviews
from tests.serve.review_files import review_file, suspects

WRITES = """
import sys
from pathlib import Path
from shopglot.serve.http.reviews.reviews import Reviews

review, person = Path(sys.argv[1]), sys.argv[2]
with Reviews(review) as reviews:
    while dealt := reviews.deal(person):
        key = dealt[0].suspect.key
        state = reviews.decide(key, "flip", person, version=dealt[0].state.version, note="a note " * 20)
        print(key, state.version, flush=True)
"""
ROWS = 4_000


def writer(review: Path, person: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITES, str(review), person],
        env={**os.environ, "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(output: str) -> list[tuple[str, int]]:
    """Return the whole lines; the last one may be cut."""
    lines = output[: output.rfind("\n") + 1].splitlines()
    return [(key, int(version)) for key, version in (line.split() for line in lines)]


def test_killed_while_it_writes_no_decision_is_lost_that_was_answered(tmp_path: Path) -> None:
    review, moments = review_file(tmp_path / "review.csv", suspects(ROWS)), random.Random()
    answered: dict[str, int] = {}
    for round_ in range(3):
        running = writer(review, "ana")
        assert running.stdout is not None
        first = running.stdout.readline()  # it is at work from here on
        select.select([], [], [], moments.uniform(0.0, 0.3))
        running.send_signal(signal.SIGKILL)
        rest, _ = running.communicate(timeout=30)
        assert running.returncode == -signal.SIGKILL
        answered |= acknowledged(first + rest)
        with Reviews(review) as reviews:
            kept = {each.suspect.key: each.state for each in reviews.decided()}
            assert reviews._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {key: kept[key].version for key in answered} == answered
        assert {state.choice for state in kept.values()} == {"flip"}
        assert len(kept) - len(answered) <= 1 + round_  # the one in flight of each round
    assert 3 <= len(answered) < ROWS


def test_two_processes_share_the_work_and_decide_nothing_twice(tmp_path: Path) -> None:
    review = review_file(tmp_path / "review.csv", suspects(60))
    both = [writer(review, person) for person in ("ana", "ben")]
    done = [acknowledged(running.communicate(timeout=60)[0]) for running in both]
    assert [running.returncode for running in both] == [0, 0]
    keys = [key for each in done for key, _ in each]
    with Reviews(review) as reviews:
        assert sorted(keys) == sorted(each.key for each in reviews.file.suspects)
        assert reviews.progress().left == 0
