"""What Prometheus reads: traffic, waits, batches, the cache, and decisions per slice."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shopglot.serve.http.question import Question, Verdict

_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_PAIRS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SHARES: Final = tuple(step / 10 for step in range(1, 11))


class Metrics:
    """The counts of one server; nothing is shared between two in one process."""

    def __init__(self, languages: Sequence[str]) -> None:
        """Take the languages that are counted apart; any other is "other", so that clients cannot invent series."""
        self.registry = CollectorRegistry()
        self._languages = frozenset(languages)
        own = self.registry
        self._requests = Counter("shopglot_requests", "Answers.", ["path", "status"], registry=own)
        self._latency = Histogram(
            "shopglot_request_seconds", "Time to answer.", ["path"], buckets=_SECONDS, registry=own
        )
        self._pairs = Counter("shopglot_pairs", "Scored pairs.", ["task", "language", "relevant"], registry=own)
        self._scores = Histogram(
            "shopglot_probability", "P(relevant).", ["task", "language"], buckets=_SHARES, registry=own
        )
        self._stages = Counter(
            "shopglot_stage_pairs", "Pairs by the stage of a cascade.", ["stage", "cut_short"], registry=own
        )
        self._cache = Counter("shopglot_cache", "Pairs looked up in the cache.", ["found"], registry=own)
        self._sizes = Histogram("shopglot_batch_pairs", "Pairs per batch.", buckets=_PAIRS, registry=own)
        self._scoring = Histogram("shopglot_batch_seconds", "Time per batch.", buckets=_SECONDS, registry=own)
        self.shed = Counter("shopglot_shed", "Requests refused because there was too much to do.", registry=own)
        self.failures = Counter("shopglot_failures", "Requests that the model failed on.", registry=own)
        self.waiting = Gauge("shopglot_waiting_pairs", "Pairs that wait for a batch.", registry=own)
        self._filtered = Counter(
            "shopglot_filtered", "Candidates of filters.", ["task", "language", "outcome", "shadow"], registry=own
        )

    def text(self) -> bytes:
        """Return all counts in the text format of Prometheus."""
        return generate_latest(self.registry)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer; `path` is that of the route, never what a client wrote."""
        self._requests.labels(path, str(status)).inc()
        self._latency.labels(path).observe(seconds)

    def cached(self, *, known: int, new: int) -> None:
        """Count distinct pairs that the cache held, and others."""
        self._cache.labels("yes").inc(known)
        self._cache.labels("no").inc(new)

    def batch(self, pairs: int, seconds: float) -> None:
        """Count a batch."""
        self._sizes.observe(pairs)
        self._scoring.observe(seconds)

    def judged(self, question: Question, verdict: Verdict) -> None:
        """Count a pair that was scored."""
        language = self._language(verdict.language)
        self._pairs.labels(question.task, language, "yes" if verdict.relevant else "no").inc()
        self._scores.labels(question.task, language).observe(verdict.probability)
        if verdict.stage is not None:
            self._stages.labels(verdict.stage, "yes" if verdict.cut_short else "no").inc()

    def filtered(self, task: str, language: str | None, outcome: str, *, shadow: bool) -> None:
        """Count what a filter decided about a candidate, in shadow mode or in earnest."""
        self._filtered.labels(task, self._language(language), outcome, "yes" if shadow else "no").inc()

    def _language(self, language: str | None) -> str:
        if language is None:
            return "unknown"
        return language if language in self._languages else "other"
