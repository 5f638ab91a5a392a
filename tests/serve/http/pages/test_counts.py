import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages.counts import PAGES, Bins, Counts
from shopglot.serve.http.pages.history import KEPT, History
from shopglot.serve.http.question import Question, Verdict


def test_answers_are_counted_by_path_and_kind_and_pages_are_one() -> None:
    metrics = Metrics(("de",))
    for path, status in (
        ("/rerank", 200),
        ("/rerank", 422),
        ("/rerank", 429),
        ("/rerank", 504),
        ("/ready", 200),
        ("/try", 303),
        ("/pages/status", 200),
    ):
        metrics.answered(path, status, 0.03)
    counts = Counts.of(metrics)
    rows = {each.path: (each.good, each.wrong, each.refused, each.failed) for each in counts.paths}
    assert rows == {"/rerank": (1, 1, 1, 1), "/ready": (1, 0, 0, 0), PAGES: (2, 0, 0, 0)}
    assert [each.path for each in counts.paths] == ["/rerank", "/ready", PAGES]
    assert counts.asked == 4  # neither those who watch nor the pages
    assert counts.paths[0].seconds.total == 4


def test_pairs_are_counted_by_task_and_language() -> None:
    metrics = Metrics(("de",))
    for probability, language in ((0.9, "de"), (0.2, "de"), (0.75, "tlh"), (0.1, None)):
        metrics.judged(Question("QI", "a", "b"), Verdict(probability, 0.5, language))
    metrics.cached(known=3, new=4)
    counts = Counts.of(metrics)
    rows = {each.language: (each.pairs, each.relevant) for each in counts.slices}
    assert rows == {"de": (2, 1), "other": (1, 1), "unknown": (1, 0)}
    assert (counts.pairs, counts.cached, counts.looked_up) == (4, 3, 7)
    german = next(each for each in counts.slices if each.language == "de")
    assert german.probabilities.counts[:-1] == (0, 1, 0, 0, 0, 0, 0, 0, 1, 0)
    assert german.share == 0.5


def test_a_new_server_has_counted_nothing() -> None:
    counts = Counts.of(Metrics(("de",)))
    assert (counts.paths, counts.slices, counts.asked, counts.pairs, counts.looked_up) == ((), (), 0, 0, 0)
    assert counts.batch_seconds.quantile(0.5) is None


@given(st.lists(st.floats(0.001, 9.999), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bin_of_the_value_that_it_is_of(values: list[float], share: float) -> None:
    bounds = (0.01, 0.1, 1.0, 10.0)
    registry = CollectorRegistry()
    histogram = Histogram("h", "Values.", buckets=bounds, registry=registry)
    for value in values:
        histogram.observe(value)
    samples = [each for family in registry.collect() for each in family.samples if each.name == "h_bucket"]
    found = Bins.of([(each.labels, each.value) for each in samples]).quantile(share)
    exact = sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]
    upper = next(bound for bound in bounds if exact <= bound)
    assert found is not None
    assert max([0.0, *(bound for bound in bounds if bound < upper)]) <= found <= upper


def test_what_is_above_the_last_bound_is_not_guessed() -> None:
    assert Bins((1.0, math.inf), (1.0, 3.0)).quantile(0.9) == math.inf


def test_the_course_is_what_came_between_two_looks_and_forgets_the_oldest() -> None:
    metrics = Metrics(("de",))
    history = History(metrics)
    history.look(0.0)
    for second in range(1, KEPT + 10):
        for _ in range(second):
            metrics.answered("/rerank", 200, 0.01)
        history.look(2.0 * second)
    course = history.per_second
    assert len(course) == KEPT
    assert course[-1].answers == pytest.approx((KEPT + 9) / 2)
    assert course[0].at == 2.0 * 10
