"""What is asked of the model, and what it says."""

from typing import NamedTuple

from shopglot.core.pair import Task

_FEWEST_TOKENS = 4
_BYTES_PER_TOKEN = 4


class Question(NamedTuple):
    """A pair as a client wrote it. `language` None: it is to be detected. Equal questions have equal answers.

    `fields` are the item's other fields by name, in the order of their names.
    """

    task: Task
    query: str
    target: str
    language: str | None = None
    english: str | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def tokens(self) -> int:
        """About how many tokens the model reads: no tokenizer is asked, for they differ from model to model."""
        texts = (self.query, self.target, *(text for _, text in self.fields))
        return _FEWEST_TOKENS + sum(len(text.encode()) for text in texts) // _BYTES_PER_TOKEN


class Verdict(NamedTuple):
    """What the model says of a question.

    `language` is the one that the threshold was chosen by, None where it is unknown. `read` says by which text the
    query was read, where the bundle knows it. `category` is the top level of a category path. `flag` says why there
    was nothing to judge. `stage` names the stage of a cascade that decided it, and `cut_short` says that a later one
    would have been asked, had there been time.
    """

    probability: float
    threshold: float
    language: str | None
    read: str | None = None
    category: str | None = None
    flag: str | None = None
    stage: str | None = None
    cut_short: bool = False

    @property
    def relevant(self) -> bool:
        """Whether the probability reaches the threshold of the bundle."""
        return self.probability >= self.threshold
