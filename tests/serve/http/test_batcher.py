import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from shopglot.serve.http.batcher import Batcher
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.settings import HttpSettings


def verdict(question: Question) -> Verdict:
    return Verdict(probability=len(question.query) / 100, threshold=0.5, language=None)


class Scoring:
    """Scores at once, or when it is let go on; remembers its batches."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.ends: list[float] = []
        self.began, self.go = threading.Event(), threading.Event()
        if not held:
            self.go.set()

    def __call__(self, questions: Sequence[Question], end: float) -> list[Verdict]:
        if not questions:
            return []
        self.batches.append([each.query for each in questions])
        self.threads.add(threading.get_ident())
        self.ends.append(end - time.monotonic())
        self.began.set()
        assert self.go.wait(5)
        for each in questions:
            if each.query.startswith("poison"):
                raise RuntimeError(each.query)
        return [verdict(each) for each in questions]


def asked(*queries: str) -> list[Question]:
    return [Question("QI", query, "tea") for query in queries]


def run(
    score: Callable[[Sequence[Question], float], list[Verdict]],
    work: Callable[[Batcher], Coroutine[Any, Any, Any]],
    **how: Any,
) -> Any:
    """Return what `work` returns while a batcher runs."""

    async def running() -> Any:
        batcher = Batcher(score, HttpSettings(**how), Metrics(()))
        async with batcher.running([]):
            return await work(batcher)

    return asyncio.run(running())


async def begun(scoring: Scoring) -> None:
    """Wait until a batch is being scored."""
    await asyncio.to_thread(scoring.began.wait, 5)


def test_concurrent_requests_join_one_batch_and_each_gets_its_own_verdicts() -> None:
    scoring = Scoring()

    async def work(batcher: Batcher) -> Any:
        return await asyncio.gather(*(batcher.judge(asked("a" * n, "b" * n)) for n in range(1, 9)))

    answers = run(scoring, work, join_seconds=0.1)
    assert [[each.probability for each in answer] for answer in answers] == [[n / 100] * 2 for n in range(1, 9)]
    assert len(scoring.batches) == 1
    assert threading.get_ident() not in scoring.threads


def test_a_batch_keeps_to_its_budget_and_a_longer_question_is_alone() -> None:
    scoring = Scoring()
    queries = ["short", "x" * 400, "small", "other"]
    run(scoring, lambda batcher: batcher.judge(asked(*queries)), batch_tokens=12, batch_seconds=1000)
    assert scoring.batches == [["short"], ["x" * 400], ["small", "other"]]


def test_a_question_that_is_asked_twice_is_scored_once() -> None:
    scoring = Scoring()

    async def work(batcher: Batcher) -> None:
        await asyncio.gather(batcher.judge(asked("a", "a", "b")), batcher.judge(asked("b")))
        await batcher.judge(asked("a", "b"))

    run(scoring, work, join_seconds=0.05)
    assert scoring.batches == [["a", "b"]]


def test_without_a_cache_what_was_scored_is_scored_again() -> None:
    scoring = Scoring()

    async def work(batcher: Batcher) -> None:
        await batcher.judge(asked("a"))
        await batcher.judge(asked("a"))

    run(scoring, work, cache_bytes=0)
    assert scoring.batches == [["a"], ["a"]]


def test_a_full_queue_refuses_at_once_with_when_to_come_again() -> None:
    scoring = Scoring(held=True)

    async def work(batcher: Batcher) -> ServeError:
        first = asyncio.create_task(batcher.judge(asked("a")))
        await begun(scoring)
        waiting = asyncio.create_task(batcher.judge(asked("b", "c")))
        await asyncio.sleep(0)
        with pytest.raises(ServeError) as refused:
            await batcher.judge(asked("d"))
        scoring.go.set()
        await asyncio.gather(first, waiting)
        return refused.value

    refused = run(scoring, work, queue_pairs=2, pairs_per_request=2)
    assert (refused.status, refused.kind, refused.headers) == (429, "Overloaded", {"Retry-After": "1"})
    assert scoring.batches == [["a"], ["b", "c"]]


def test_what_would_wait_longer_than_may_be_is_refused_by_the_measured_speed() -> None:
    scoring = Scoring()

    async def work(batcher: Batcher) -> None:
        await batcher.judge(asked("a"))
        batcher.pace.remember(1, 1000)
        scoring.go.clear()
        scoring.began.clear()
        first = asyncio.create_task(batcher.judge(asked("b" * 10)))
        await begun(scoring)
        with pytest.raises(ServeError) as refused:
            await batcher.judge(asked("c"))
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) > 5
        scoring.go.set()
        await first

    run(scoring, work, queue_seconds=1)


def test_a_request_that_misses_its_deadline_is_told_so_and_leaves_the_queue() -> None:
    scoring = Scoring(held=True)

    async def work(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.judge(asked("a")))
        await begun(scoring)
        for request in (batcher.judge(asked("b")), first):
            with pytest.raises(ServeError) as late:
                await request
            assert late.value.status == 504
        assert batcher.waiting == 0
        scoring.go.set()

    run(scoring, work, deadline_seconds=0.05, queue_seconds=0.05)
    assert scoring.batches == [["a"]]


@pytest.mark.parametrize(("settings", "seconds"), [({"deadline_seconds": 9.0}, 9.0), ({"answer_seconds": 0.5}, 0.5)])
def test_the_model_is_told_until_when_the_oldest_request_should_be_answered(
    settings: dict[str, float], seconds: float
) -> None:
    scoring = Scoring()
    run(scoring, lambda batcher: batcher.judge(asked("a")), **settings)
    assert seconds - 0.3 < scoring.ends[0] < seconds


def test_an_answer_that_was_cut_short_is_not_kept() -> None:
    asked_for: list[str] = []

    def hurried(questions: Sequence[Question], end: float) -> list[Verdict]:
        asked_for.extend(each.query for each in questions)
        return [verdict(each)._replace(cut_short=each.query == "short") for each in questions]

    async def work(batcher: Batcher) -> None:
        for _ in range(2):
            await batcher.judge(asked("short", "whole"))

    run(hurried, work)
    assert sorted(asked_for) == ["short", "short", "whole"]


def test_a_client_that_goes_leaves_its_place_to_others() -> None:
    scoring = Scoring(held=True)

    async def work(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.judge(asked("a")))
        await begun(scoring)
        gone = asyncio.create_task(batcher.judge(asked("b")))
        await asyncio.sleep(0)
        assert batcher.waiting == 1
        gone.cancel()
        await asyncio.wait({gone})
        assert batcher.waiting == 0
        scoring.go.set()
        await first

    run(scoring, work)
    assert scoring.batches == [["a"]]


def test_a_request_that_the_model_fails_on_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def work(batcher: Batcher) -> Any:
        requests = (batcher.judge(asked("a")), batcher.judge(asked("poisonous secret")), batcher.judge(asked("bb")))
        answers = await asyncio.gather(*requests, return_exceptions=True)
        return [*answers, *await batcher.judge(asked("ccc"))]

    with caplog.at_level(logging.ERROR):
        first, failed, third, later = run(Scoring(), work, join_seconds=0.05)
    assert (first[0].probability, third[0].probability, later.probability) == (0.01, 0.02, 0.03)
    assert (failed.status, failed.kind) == (424, "Backend")
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_server_that_ends_finishes_what_it_took_and_takes_no_more() -> None:
    scoring = Scoring(held=True)

    async def ended() -> list[Verdict]:
        batcher = Batcher(scoring, HttpSettings(), Metrics(()))
        async with batcher.running([]):
            requests = [asyncio.create_task(batcher.judge(asked(query))) for query in ("a", "bb")]
            await begun(scoring)
            scoring.go.set()
        assert not batcher.open
        with pytest.raises(ServeError, match="ending"):
            await batcher.judge(asked("c"))
        return [(await request)[0] for request in requests]

    assert [each.probability for each in asyncio.run(ended())] == [0.01, 0.02]


def test_a_batch_is_as_large_as_the_speed_allows() -> None:
    scoring = Scoring()

    async def work(batcher: Batcher) -> None:
        batcher.pace.remember(50, 1)
        await batcher.judge(asked(*"abcd"))

    run(scoring, work, batch_seconds=0.2, join_seconds=0)
    assert scoring.batches[0] == ["a", "b"]


def test_under_many_times_its_load_what_is_taken_is_done_in_time_and_the_rest_is_refused_at_once() -> None:
    def slow(questions: Sequence[Question], end: float) -> list[Verdict]:
        time.sleep(0.004 * len(questions))
        return [verdict(each) for each in questions]

    async def ask(batcher: Batcher, number: int) -> tuple[int, float]:
        began = time.monotonic()
        try:
            await batcher.judge(asked(*(f"{number} {place}" for place in range(5))))
        except ServeError as refused:
            return refused.status, time.monotonic() - began
        return 200, time.monotonic() - began

    async def work(batcher: Batcher) -> list[tuple[int, float]]:
        requests = []
        for number in range(500):  # one every 2 ms, or every few where the machine is busy, and each takes 20
            requests.append(asyncio.create_task(ask(batcher, number)))
            await asyncio.sleep(0.002)
        return await asyncio.gather(*requests)

    limits = {"deadline_seconds": 5.0, "queue_seconds": 0.3, "batch_seconds": 0.05, "cache_bytes": 0}
    answers = run(slow, work, **limits)
    taken = [seconds for status, seconds in answers if status == 200]
    refused = [seconds for status, seconds in answers if status == 429]
    assert len(taken) + len(refused) == len(answers)
    assert 20 < len(taken) < 400
    assert max(taken) < limits["deadline_seconds"]
    assert sorted(refused)[len(refused) // 2] < 0.01
