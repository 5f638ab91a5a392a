"""What answers: a bundle, a cascade, a test double."""

from collections.abc import Iterable
from typing import Protocol

from shopglot.core.pairs import Pairs
from shopglot.curate.settings import CurateSettings
from shopglot.merge.decide import Decided


class Decider(Protocol):
    """What decides about clean pairs."""

    @property
    def curate(self) -> CurateSettings:
        """How texts are cleaned before they are scored."""
        ...

    def score_clean(self, pairs: Pairs) -> Decided:
        """Return what is decided about each of `pairs`, which are clean."""
        ...

    def knowing(self, paths: Iterable[str]) -> "Decider":
        """Return the same for a shop that has these category paths too."""
        ...
