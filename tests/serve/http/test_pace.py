from hypothesis import given
from hypothesis import strategies as st

from shopglot.serve.http.pace import Pace

batches = st.lists(st.tuples(st.integers(1, 10_000), st.floats(0.001, 10)), min_size=1, max_size=20)


def test_before_the_first_batch_nothing_takes_time() -> None:
    assert (Pace().seconds_for(10), Pace().tokens_in(1)) == (0, float("inf"))


@given(batches)
def test_the_pace_is_between_the_slowest_and_the_fastest_batch(seen: list[tuple[int, float]]) -> None:
    pace = Pace()
    for tokens, seconds in seen:
        pace.remember(tokens, seconds)
    speeds = [tokens / seconds for tokens, seconds in seen]
    assert min(speeds) * 0.999 <= pace.tokens_in(1) <= max(speeds) * 1.001


def test_late_batches_count_for_more() -> None:
    pace = Pace()
    for seconds in [1.0] * 10 + [2.0] * 10:
        pace.remember(100, seconds)
    assert 1.9 < pace.seconds_for(100) < 2
