"""Scored pairs that are kept, the latest used ones, up to a size."""

from collections import OrderedDict
from typing import Final

from shopglot.serve.http.question import Question, Verdict

_OVERHEAD: Final = 500
"""About what a question with its verdict takes beside its texts, in bytes."""


class ScoredPairs:
    """Verdicts by question; the one not used for longest goes first. For one thread."""

    def __init__(self, size: int) -> None:
        """Take about how many bytes may be held; 0 keeps nothing."""
        self.size, self.held = size, 0
        self._verdicts: OrderedDict[Question, Verdict] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of pairs held."""
        return len(self._verdicts)

    def get(self, question: Question) -> Verdict | None:
        """Return the verdict on the question, None where it is not held."""
        verdict = self._verdicts.get(question)
        if verdict is not None:
            self._verdicts.move_to_end(question)
        return verdict

    def keep(self, question: Question, verdict: Verdict) -> None:
        """Hold a verdict, in the place of those not used for longest."""
        weight = _weight(question)
        if weight > self.size:
            return
        if self._verdicts.pop(question, None) is None:
            self.held += weight
        self._verdicts[question] = verdict
        while self.held > self.size:
            self.held -= _weight(self._verdicts.popitem(last=False)[0])


def _weight(question: Question) -> int:
    texts = (
        question.query,
        question.target,
        question.english or "",
        *(text for each in question.fields for text in each),
    )
    return _OVERHEAD + 2 * sum(map(len, texts))
