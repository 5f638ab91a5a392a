"""What stands in the form of a page that asks the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shopglot.core.pair import TASKS, Task
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.question import Question
from shopglot.serve.http.service import Service, check


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and the list of targets that somebody wrote; `language` None: it is to be detected."""

    query: str
    task: Task
    targets: tuple[str, ...]
    language: str | None = None
    translate: bool = False

    @classmethod
    def of(cls, form: Mapping[str, str], service: Service) -> Self:
        """Return what a form holds, with the lines of its task's list that say something, each once.

        Raises ServeError where it is not what the page sends, or above a limit of the server.
        """
        named, language = form.get("task") or None, form.get("language") or None
        if named not in (None, *TASKS) or language not in (None, *service.settings.languages):
            raise ServeError(422, "Validation", "the form holds a task or a language that the page does not offer")
        task = service.task(named)
        lines = (line.strip() for line in form.get(f"targets-{task}", "").splitlines())
        asked = cls(
            form.get("query", "").strip(),
            task,
            tuple(dict.fromkeys(line for line in lines if line)),
            language,
            "translate" in form,
        )
        check(service.settings, max(1, len(asked.targets)), (asked.query, *asked.targets))
        return asked

    @property
    def questions(self) -> list[Question]:
        """What the model is asked, a question for each target."""
        return [Question(self.task, self.query, target, self.language) for target in self.targets]
