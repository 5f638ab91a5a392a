"""What every handler works with, and what most of them do with it."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from shopglot.core.pair import TASKS, Task
from shopglot.core.pairs import OWN
from shopglot.merge.decide import Decision
from shopglot.serve.http.batcher import Batcher
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.pages.history import History
from shopglot.serve.http.policy import Policies
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.reviews.reviews import Reviews
from shopglot.serve.http.sessions import Sessions
from shopglot.serve.http.settings import HttpSettings
from shopglot.serve.http.suggest import Suggester
from shopglot.serve.http.translation import Translation, Translations

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class Service:
    """The parts of one server; `columns_read` are those of pairs that its model says it reads.

    `other` are the parts of a second model that pages compare with the first.
    """

    tasks: tuple[Task, ...]
    columns_read: tuple[str, ...]
    settings: HttpSettings
    batcher: Batcher
    metrics: Metrics
    policies: Policies
    translations: Translations
    suggester: Suggester | None
    sessions: Sessions | None
    decision: Decision | None
    facts: dict[str, Any]
    history: History
    report: Path | None
    reviews: Reviews | None
    other: "Service | None" = None

    def task(self, named: Task | None, model: str | None = None) -> Task:
        """Return the task a request means: the one it names, the one its `model` ends with, or the server's."""
        by_model = (model or "").rpartition(":")[2].upper()
        task = named or next((each for each in TASKS if each == by_model), None) or self._own_task
        if task not in self.tasks:
            raise ServeError(422, "Validation", f"the model decides {' and '.join(self.tasks)}, not {task}")
        return task

    def fields(self, task: Task, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the fields of an item in the order of their names; raises ServeError for one that is not read."""
        if given and task == "QC":
            raise ServeError(422, "Validation", "fields: a category path has none; leave them out, or ask for task QI")
        read = [name for name in self.columns_read if name.startswith((OWN, "^"))]
        if not all(any(_names(column, OWN + name) for column in read) for name in given):
            known = " and ".join(name.removeprefix(OWN) for name in read)
            said = (
                f"the model reads {known} of an item; leave out all others"
                if known
                else "the model reads none; leave them out"
            )
            raise ServeError(422, "Validation", f"fields: {said}")
        return tuple(sorted(given.items()))

    @property
    def _own_task(self) -> Task:
        return self.settings.task or ("QI" if "QI" in self.tasks else self.tasks[0])

    @property
    def model(self) -> str:
        """The name of the bundle."""
        return str(self.facts.get("name", "shopglot"))


def _names(column: str, name: str) -> bool:
    """Return whether an entry of `columns_read` names this column; it is a name, or a pattern that begins with ^."""
    return re.match(column, name) is not None if column.startswith("^") else column == name


def service_of(request: Request) -> Service:
    """Return the parts of the server that was asked."""
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(service_of)]


@dataclass(frozen=True, slots=True)
class Options:
    """What clients of other servers may say in the address, for their bodies have no place for it."""

    task: Task | None
    language: str | None
    translate: bool


def _options(
    task: Annotated[
        Task | None, Query(description="QC: texts are category paths; QI: they are items. Else the server's own.")
    ] = None,
    language: Annotated[
        str | None, Query(pattern="^[a-z]{2,3}$", description="ISO 639-1; it is detected when left out.")
    ] = None,
    translate: Annotated[bool, Query(description="Whether the query is translated into English first.")] = False,
) -> Options:
    return Options(task, language, translate)


Asked = Annotated[Options, Depends(_options)]


def check(settings: HttpSettings, pairs: int, texts: Iterable[str]) -> None:
    """Raise ServeError where a request has nothing to judge, or more than is allowed."""
    if not pairs:
        raise ServeError(400, "Empty", "there is nothing to judge; give at least one text")
    if pairs > settings.pairs_per_request:
        raise ServeError(
            413, "Validation", f"a request has at most {settings.pairs_per_request:,} pairs, not {pairs:,}"
        )
    if max(map(len, texts)) > settings.text_characters:
        raise ServeError(413, "Validation", f"a text has at most {settings.text_characters:,} characters")


async def judged_pairs(
    service: Service, pairs: Sequence[tuple[str, str]], options: Options, model: str | None = None
) -> list[Verdict]:
    """Return a verdict per query and target, in order."""
    check(service.settings, len(pairs), (text for pair in pairs for text in pair))
    task = service.task(options.task, model)
    questions = [Question(task, query, target, options.language) for query, target in pairs]
    return (await judged(service, questions, translate=options.translate))[0]


async def judged(
    service: Service, questions: Sequence[Question], *, translate: bool
) -> tuple[list[Verdict], list[Translation]]:
    """Return a verdict per question, and what became of the translation of its query."""
    if service.settings.log_queries:
        log.info("queries: %s", [*dict.fromkeys(each.query for each in questions)])
    read, translations = await service.translations.of(questions, wanted=translate)
    return await service.batcher.judge(read), translations


def ranked(verdicts: Sequence[Verdict]) -> list[int]:
    """Return the positions, the most relevant first; of equals the first given."""
    return sorted(range(len(verdicts)), key=lambda place: -verdicts[place].probability)


def tokens(pairs: Iterable[tuple[str, str]]) -> int:
    """Return about how many tokens these pairs have."""
    return sum(Question("QI", query, target).tokens for query, target in pairs)
