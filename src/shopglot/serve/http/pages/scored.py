"""What models say of a query and a list of targets, ready to be shown."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shopglot.core.category import CategoryPath
from shopglot.core.errors import DataError
from shopglot.serve.http.pages.asked import Asked
from shopglot.serve.http.pages.thresholds import why
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.service import Service
from shopglot.serve.http.translation import Translation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What one model says of one target, and who chose the threshold."""

    probability: float
    threshold: float
    why: str
    flag: str | None

    @property
    def relevant(self) -> bool:
        """Whether the probability reaches the threshold in force."""
        return self.probability >= self.threshold


@dataclass(frozen=True, slots=True)
class Reading:
    """How a query was read: its language, who says so, its translation, and which text the model reads."""

    language: str | None
    given: bool
    translation: Translation
    read: str | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of a list, from the lowest to the highest, and who chose them."""

    lowest: float
    highest: float
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, said: Iterable[Said]) -> "Thresholds":
        """Return those of all that was said, which is not nothing."""
        each = list(said)
        values = [one.threshold for one in each]
        return cls(min(values), max(values), tuple(dict.fromkeys(one.why for one in each)))

    @property
    def same(self) -> bool:
        """Whether all targets have the same."""
        return self.lowest == self.highest


async def read_query(service: Service, asked: Asked) -> tuple[list[Question], Translation]:
    """Return what the model is asked about each target, translated where that was wanted and could be done."""
    if service.settings.log_queries:
        log.info("queries: %s", [asked.query])
    questions, translations = await service.translations.of(asked.questions, wanted=asked.translate)
    return questions, translations[0]


async def judged_by(service: Service, questions: Sequence[Question]) -> tuple[list[Said], list[Verdict]]:
    """Return what the model of a service says of each question, and its verdicts."""
    verdicts = await service.batcher.judge(questions)
    policy = service.policies.in_force
    said = [
        Said(
            verdict.probability,
            policy.threshold(question, verdict)[0],
            why(service.decision, policy, question, verdict),
            verdict.flag,
        )
        for question, verdict in zip(questions, verdicts, strict=True)
    ]
    return said, verdicts


def reading(asked: Asked, verdict: Verdict, translation: Translation) -> Reading:
    """Return how the query of these verdicts was read."""
    return Reading(verdict.language, asked.language is not None, translation, verdict.read)


def level_names(path: str) -> tuple[str, ...]:
    """Return the levels of a category path as somebody wrote it; what is none is one level.

    >>> level_names("pet supplies,dogs,beds"), level_names("pets,")
    (('pet supplies', 'dogs', 'beds'), ('pets,',))
    """
    try:
        return CategoryPath.parse(path).levels
    except DataError:
        return (path,)
