"""What stands in the form of a page that asks the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

from shopglot.core.pair import TASKS, Task
from shopglot.serve.errors import ServeError
from shopglot.serve.question import Question
from shopglot.serve.service import Service, check

NAMES: Final = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""Languages as a person would say them; of another one the code is shown."""


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
        """Return what a form holds, with the lines of its list that say something, each once.

        Raises ServeError where it is not what the page sends, or above a limit of the server.
        """
        lines = (line.strip() for line in form.get("targets", "").splitlines())
        task, language = form.get("task") or None, form.get("language") or None
        if task not in (None, *TASKS) or language not in (None, *service.settings.languages):
            raise ServeError(422, "Validation", "the form holds a task or a language that the page does not offer")
        asked = cls(
            form.get("query", "").strip(),
            service.task(cast("Task | None", task)),
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


def language_name(code: str) -> str:
    """Return the name of a language in English.

    >>> language_name("ja"), language_name("qu")
    ('Japanese', 'qu')
    """
    return NAMES.get(code, code)
