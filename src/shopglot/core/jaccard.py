"""How much two texts share."""

import re
from typing import Final

_WORD: Final = re.compile(r"\w+")


def words(text: str) -> frozenset[str]:
    """Return the distinct words of `text`, as they are written."""
    return frozenset(_WORD.findall(text))


def ngrams(text: str, size: int) -> frozenset[str]:
    """Return the distinct character n-grams of `text`, with a space at either end.

    >>> sorted(ngrams("tea", 3))
    [' te', 'ea ', 'tea']
    """
    padded = f" {text} "
    return frozenset(padded[i : i + size] for i in range(len(padded) - size + 1))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of common members among all members; 0 when both sets are empty."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0
