"""Pairs of concurrent requests are scored together."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from shopglot.serve.http.cache import ScoredPairs
from shopglot.serve.http.errors import ServeError, without_words
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pace import Pace
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.settings import HttpSettings

log = logging.getLogger(__name__)
T = TypeVar("T")

Score = Callable[[Sequence[Question], float], list[Verdict]]
"""Gives a verdict per question; the second is the time of the monotonic clock at which it should be done."""

_LONGEST_RETRY: Final = 60


@dataclass(eq=False, slots=True)
class _Request:
    """A request's questions, of which those before `next` are in a batch already."""

    questions: list[Question]
    arrived: float
    done: asyncio.Future[None]
    next: int = 0
    verdicts: dict[Question, Verdict] = field(default_factory=dict)

    @property
    def waiting(self) -> list[Question]:
        """The questions that are in no batch yet."""
        return self.questions[self.next :]


Batch = list[tuple[_Request, list[Question]]]


class Batcher:
    """Scores questions in batches, in one worker thread, so that the event loop is never blocked.

    A request that cannot be done in time is refused at once, and one whose client has gone, or whose deadline has
    passed, leaves the queue. A batch is within the token budget, or holds one question alone.
    """

    def __init__(self, score: Score, settings: HttpSettings, metrics: Metrics) -> None:
        """Take what scores; it is called by one thread at a time."""
        self._score, self._settings, self._metrics = score, settings, metrics
        self._queue: deque[_Request] = deque()
        self._arrived = asyncio.Event()
        self._cache = ScoredPairs(settings.cache_bytes)
        self.pace = Pace()
        self._scoring = 0
        self.open = False

    @asynccontextmanager
    async def running(self, first: Sequence[Question]) -> AsyncIterator[None]:
        """Score until the block ends; what was taken by then is still done.

        The `first` questions are scored before any other is taken, for what is loaded late is loaded by them.
        """
        with ThreadPoolExecutor(1, "scoring") as thread:
            await asyncio.get_running_loop().run_in_executor(thread, self._score, first, math.inf)
            self.open, self._thread, self._arrived = True, thread, asyncio.Event()
            work = asyncio.create_task(self._work())
            try:
                yield
            finally:
                self.open = False
                self._arrived.set()
                await work

    async def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Return a verdict per question, in order.

        Raises ServeError: 429 where it could not be done in time, 504 where it was not, 424 where the model failed,
        503 where the server is ending.
        """
        known = {each: verdict for each in questions if (verdict := self._cache.get(each)) is not None}
        new = [each for each in dict.fromkeys(questions) if each not in known]
        self._metrics.cached(known=len(known), new=len(new))
        if new:
            known |= await self._judged(new)
        return [known[each] for each in questions]

    async def beside(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done by the thread that scores: no two threads ever use the model."""
        try:
            async with asyncio.timeout(self._settings.deadline_seconds):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError as late:
            raise _late() from late

    @property
    def waiting(self) -> int:
        """How many pairs wait for a batch."""
        return sum(len(each.questions) - each.next for each in self._queue)

    async def _judged(self, questions: list[Question]) -> dict[Question, Verdict]:
        self._admit(questions)
        request = _Request(questions, time.monotonic(), asyncio.get_running_loop().create_future())
        self._queue.append(request)
        self._arrived.set()
        try:
            async with asyncio.timeout(self._settings.deadline_seconds):
                await request.done
        except TimeoutError as late:
            raise _late() from late
        finally:  # also when the client has gone, which cancels this
            if request in self._queue:
                self._queue.remove(request)
        return request.verdicts

    def _admit(self, questions: Sequence[Question]) -> None:
        if not self.open:
            raise ServeError(503, "Unhealthy", "the server is ending; ask another one")
        wait = self._seconds_for(questions)
        full = self.waiting + len(questions) > self._settings.queue_pairs
        # A request that comes to an idle server is taken whatever its size, else a large one could never be.
        late = wait > self._settings.queue_seconds and (self._queue or self._scoring)
        if full or late:
            self._metrics.shed.inc()
            again = min(max(1, math.ceil(wait - self._settings.queue_seconds)), _LONGEST_RETRY)
            raise ServeError(429, "Overloaded", "there is too much to do; come later", {"Retry-After": str(again)})

    def _seconds_for(self, questions: Sequence[Question]) -> float:
        """Return when these would be done at the speed of the latest batches; 0 before the first."""
        ahead = sum(_tokens(each.waiting) for each in self._queue) + self._scoring + _tokens(questions)
        return self.pace.seconds_for(ahead)

    async def _work(self) -> None:
        while self.open or self._queue:
            if self._queue:
                await self._others()
                await self._scored(self._next_batch())
            else:
                self._arrived.clear()
                await self._arrived.wait()

    @property
    def _budget(self) -> int:
        """The most tokens of the next batch."""
        seconds = min(self._settings.batch_seconds, self._answer_seconds)
        return int(min(self._settings.batch_tokens, self.pace.tokens_in(seconds)))

    @property
    def _answer_seconds(self) -> float:
        return self._settings.answer_seconds or self._settings.deadline_seconds

    async def _others(self) -> None:
        """Wait until the oldest request has waited long enough for others to join it, or the budget is reached."""
        end = self._queue[0].arrived + self._settings.join_seconds
        while self._queue and (left := end - time.monotonic()) > 0:
            if sum(_tokens(each.waiting) for each in self._queue) >= self._budget:
                return
            self._arrived.clear()
            try:
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _next_batch(self) -> Batch:
        """Return the oldest questions that fit into the budget, by the request that they came with."""
        batch: Batch = []
        budget = self._budget
        while self._queue:
            request = self._queue[0]
            part = _fitting(request.waiting, budget, at_least=0 if batch else 1)
            if part:
                batch.append((request, part))
                request.next += len(part)
                budget -= _tokens(part)
            if request.waiting:
                break
            self._queue.popleft()
        return batch

    async def _scored(self, batch: Batch) -> None:
        questions = list(dict.fromkeys(each for _, part in batch for each in part))
        if not questions:  # all clients have gone
            return
        self._scoring, began = _tokens(questions), time.monotonic()
        try:
            end = min(request.arrived for request, _ in batch) + self._answer_seconds
            verdicts = await asyncio.get_running_loop().run_in_executor(self._thread, self._score, questions, end)
            found = dict(zip(questions, verdicts, strict=True))
        except Exception as reason:  # noqa: BLE001  # whatever the model says, the server goes on
            await self._failed(batch, reason)
            return
        finally:
            self._scoring = 0
        seconds = time.monotonic() - began
        self.pace.remember(_tokens(questions), seconds)
        self._metrics.batch(len(questions), seconds)
        for question, verdict in found.items():
            if not verdict.cut_short:  # with more time, the answer may be another
                self._cache.keep(question, verdict)
        for request, part in batch:
            request.verdicts.update((each, found[each]) for each in part)
            if len(request.verdicts) == len(request.questions) and not request.done.done():
                request.done.set_result(None)
        await asyncio.sleep(0)  # those who waited answer first
        for question, verdict in found.items():
            self._metrics.judged(question, verdict)

    async def _failed(self, batch: Batch, reason: Exception) -> None:
        """Try the requests one by one, so that one that the model fails on does not take the others with it."""
        if len(batch) > 1:
            for part in batch:
                await self._scored([part])
            return
        log.error("the model failed with %s", without_words(reason))
        self._metrics.failures.inc()
        request, _ = batch[0]
        if not request.done.done():
            message = "the model failed on this request; the server's log says where"
            request.done.set_exception(ServeError(424, "Backend", message))


def _late() -> ServeError:
    return ServeError(504, "Overloaded", "the request was not done by its deadline; send fewer pairs")


def _tokens(questions: Sequence[Question]) -> int:
    return sum(each.tokens for each in questions)


def _fitting(questions: Sequence[Question], budget: int, *, at_least: int) -> list[Question]:
    """Return the first questions that are within the budget together, and no fewer than `at_least`."""
    fitting: list[Question] = []
    for each in questions:
        budget -= each.tokens
        if budget < 0 and len(fitting) >= at_least:
            break
        fitting.append(each)
    return fitting
