"""How fast the model has been lately."""

from typing import Final

_MEMORY: Final = 0.7
"""How much of what earlier batches told still counts with each further one."""


class Pace:
    """Tokens per second over the latest batches; a large batch counts for more than a small one."""

    def __init__(self) -> None:
        """Begin without any knowledge."""
        self._tokens = self._seconds = 0.0

    def remember(self, tokens: int, seconds: float) -> None:
        """Take a further batch into account."""
        self._tokens = _MEMORY * self._tokens + tokens
        self._seconds = _MEMORY * self._seconds + seconds

    def seconds_for(self, tokens: int) -> float:
        """Return how long so many tokens will take; 0 before the first batch."""
        return tokens * self._seconds / self._tokens if self._tokens else 0.0

    def tokens_in(self, seconds: float) -> float:
        """Return how many tokens will be done in so long; without limit before the first batch."""
        return seconds * self._tokens / self._seconds if self._seconds else float("inf")
