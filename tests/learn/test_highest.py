import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shopglot.learn.highest import highest


@given(st.integers(0, 1000), st.sampled_from([3, 40, 300, 900]), st.integers(1, 40))
def test_the_highest_are_those_that_sorting_finds(seed: int, columns: int, count: int) -> None:
    values = np.random.default_rng(seed).permutation(4 * columns).reshape(4, columns).astype(np.float32)
    count = min(count, columns)
    assert highest(values, count).tolist() == np.argsort(-values, axis=1)[:, :count].tolist()
