"""The counts of a server as tables: what Prometheus reads, added up for people."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages.addresses import is_for_people

Sample = tuple[dict[str, str], float]
Key = TypeVar("Key")

PAGES: Final = "web pages"
_WATCHING: Final = ("/health", "/ready", "/metrics")
"""What asks for these watches the server, and does not use it."""
_REFUSED: Final = "429"


@dataclass(frozen=True, slots=True)
class Bins:
    """How often values lay below each bound and above the one before; the last bound is infinite."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Self:
        """Return the sum of the buckets of histograms with the same bounds."""
        below: dict[float, float] = defaultdict(float)
        for labels, value in samples:
            below[float(labels["le"])] += value
        bounds = tuple(sorted(below))
        counts = tuple(below[bound] for bound in bounds)
        return cls(bounds, tuple(count - before for before, count in zip((0.0, *counts), counts, strict=False)))

    @property
    def total(self) -> float:
        """How many values there were."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Return below which value this share of them lies, None without any; infinite above the last bound.

        Within a bin values are taken to lie evenly, as `histogram_quantile` of Prometheus does.

        >>> Bins((1.0, 2.0, math.inf), (2.0, 2.0, 0.0)).quantile(0.75)
        1.5
        """
        left, lower = share * self.total, 0.0
        if not left:
            return None
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if left <= count:
                return lower + (bound - lower) * left / count if math.isfinite(bound) else math.inf
            left, lower = left - count, bound
        return math.inf


@dataclass(frozen=True, slots=True)
class Path:
    """What was answered on one path; `wrong` are the requests that could not be read or were not allowed."""

    path: str
    good: int
    wrong: int
    refused: int
    failed: int
    seconds: Bins

    @property
    def answers(self) -> int:
        """All of them."""
        return self.good + self.wrong + self.refused + self.failed


@dataclass(frozen=True, slots=True)
class Slice:
    """The scored pairs of a language in a task, and how their probabilities lie."""

    task: str
    language: str
    pairs: int
    relevant: int
    probabilities: Bins

    @property
    def share(self) -> float:
        """Which share of the pairs is relevant."""
        return self.relevant / self.pairs


@dataclass(frozen=True, slots=True)
class Counts:
    """What a server has done since it began."""

    paths: tuple[Path, ...]
    slices: tuple[Slice, ...]
    cached: int
    looked_up: int
    shed: int
    failures: int
    batches: Bins
    batch_seconds: Bins

    @classmethod
    def of(cls, metrics: Metrics) -> Self:
        """Return the counts as they are now."""
        read = _samples(metrics)
        cache = {labels["found"]: int(value) for labels, value in read["shopglot_cache_total"]}
        return cls(
            _paths(read),
            _slices(read),
            cache.get("yes", 0),
            sum(cache.values()),
            _sum(read["shopglot_shed_total"]),
            _sum(read["shopglot_failures_total"]),
            Bins.of(read["shopglot_batch_pairs_bucket"]),
            Bins.of(read["shopglot_batch_seconds_bucket"]),
        )

    @property
    def asked(self) -> int:
        """How many answers machines got, those left out that only watch the server."""
        return sum(each.answers for each in self.paths if each.path not in (PAGES, *_WATCHING))

    @property
    def pairs(self) -> int:
        """How many pairs the model has scored."""
        return sum(each.pairs for each in self.slices)


def _samples(metrics: Metrics) -> Mapping[str, list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for family in metrics.registry.collect():
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found


def _paths(read: Mapping[str, list[Sample]]) -> tuple[Path, ...]:
    """Return a row per path, the most asked first; those of pages are one."""
    answers = _grouped(read["shopglot_requests_total"], lambda labels: _shown(labels["path"]))
    seconds = _grouped(read["shopglot_request_seconds_bucket"], lambda labels: _shown(labels["path"]))
    rows = []
    for path, samples in answers.items():
        counts: dict[str, int] = defaultdict(int)
        for labels, value in samples:
            counts[_kind(labels["status"])] += int(value)
        kinds = (counts["good"], counts["wrong"], counts["refused"], counts["failed"])
        rows.append(Path(path, *kinds, Bins.of(seconds[path])))
    return tuple(sorted(rows, key=lambda row: (row.path == PAGES, -row.answers)))


def _slices(read: Mapping[str, list[Sample]]) -> tuple[Slice, ...]:
    """Return a row per task and language, the largest first."""
    pairs = _grouped(read["shopglot_pairs_total"], _slice)
    probabilities = _grouped(read["shopglot_probability_bucket"], _slice)
    rows = [
        Slice(
            *key,
            _sum(samples),
            _sum(each for each in samples if each[0]["relevant"] == "yes"),
            Bins.of(probabilities[key]),
        )
        for key, samples in pairs.items()
    ]
    return tuple(sorted((row for row in rows if row.pairs), key=lambda row: (row.task, -row.pairs)))


def _grouped(samples: Iterable[Sample], key: Callable[[dict[str, str]], Key]) -> dict[Key, list[Sample]]:
    groups: dict[Key, list[Sample]] = defaultdict(list)
    for labels, value in samples:
        groups[key(labels)].append((labels, value))
    return groups


def _slice(labels: dict[str, str]) -> tuple[str, str]:
    return labels["task"], labels["language"]


def _shown(path: str) -> str:
    return PAGES if is_for_people(path) else path


def _kind(status: str) -> str:
    if status == _REFUSED:
        return "refused"
    return {"4": "wrong", "5": "failed"}.get(status[0], "good")


def _sum(samples: Iterable[Sample]) -> int:
    return int(sum(value for _, value in samples))
