"""What a shop decides beside the model: thresholds of its own, allow and block lists, in versions that can go back."""

import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shopglot.core.errors import DataError
from shopglot.core.files import undamaged, whole_file
from shopglot.core.pair import Task
from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.text import Text

Rules = frozenset[tuple[str, str]]
"""The folded query and target of each rule, empty where it names none."""
ThresholdOf = Literal["bundle", "policy"]

MOST_RULES: Final = 100_000
_MOST_CHARACTERS: Final = 2000
_MOST_THRESHOLDS: Final = 10_000


class Threshold(BaseModel):
    """A threshold in the place of the bundle's, for a task, or a language or top category of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: Task
    language: Text | None = Field(None, description="ISO 639-1; null: every language.")
    category: Text | None = Field(None, description="The top level of a category path; null: every category.")
    threshold: float = Field(ge=0, le=1, description="The lowest probability that counts as relevant.")


class Rule(BaseModel):
    """A query, a target, or both together; letter case and spaces do not matter.

    A target of QC also means every category below it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Text | None = Field(None, max_length=_MOST_CHARACTERS)
    target: Text | None = Field(None, max_length=_MOST_CHARACTERS)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not folded(self.query or "") and not folded(self.target or ""):
            raise ValueError("a rule names a query, a target or both")
        return self


class Policy(BaseModel):
    """One version of what a shop decides beside the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Text = Field("", max_length=_MOST_CHARACTERS, description="Why it was changed.")
    thresholds: tuple[Threshold, ...] = Field((), max_length=_MOST_THRESHOLDS)
    allow: tuple[Rule, ...] = Field((), max_length=MOST_RULES, description="Candidates that are always kept.")
    block: tuple[Rule, ...] = Field((), max_length=MOST_RULES, description="Candidates that are never kept.")
    shadow: bool = Field(False, description="Whether filters only record what they would remove.")


class Version(BaseModel):
    """A policy with its number; 0 is the one that a server without any begins with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=0)
    policy: Policy


@dataclass(frozen=True, eq=False, slots=True)
class InForce:
    """A version made ready: thresholds and rules are looked up at once, however many there are."""

    version: int
    shadow: bool
    _thresholds: Mapping[tuple[Task, str | None, str | None], float]
    _allow: Rules
    _block: Rules

    @classmethod
    def of(cls, made: Version) -> Self:
        """Return what the version decides; of two thresholds of a slice the last one counts."""
        policy = made.policy
        thresholds = {(each.task, each.language, each.category): each.threshold for each in policy.thresholds}
        return cls(made.version, policy.shadow, thresholds, _looked_up(policy.allow), _looked_up(policy.block))

    def threshold(self, question: Question, verdict: Verdict) -> tuple[float, ThresholdOf]:
        """Return the threshold of the narrowest slice of a pair, and who says so; a category is narrower."""
        for category in dict.fromkeys((verdict.category, None)):
            for language in dict.fromkeys((verdict.language, None)):
                if (own := self._thresholds.get((question.task, language, category))) is not None:
                    return own, "policy"
        return verdict.threshold, "bundle"

    def allows(self, question: Question) -> bool:
        """Return whether the pair is on the allow list."""
        return not self._allow.isdisjoint(_names(question))

    def blocks(self, question: Question) -> bool:
        """Return whether the pair is on the block list."""
        return not self._block.isdisjoint(_names(question))


class Policies:
    """All versions of a server's policy, of which the last is in force; nothing is ever overwritten.

    With a folder they are kept there, one file each, and outlive the server; without one they are in memory alone.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder; raises DataError where it holds a damaged version."""
        self._folder, self._lock = folder, threading.Lock()
        self.versions: tuple[Version, ...] = (Version(version=0, policy=Policy()), *_kept(folder))
        self.in_force = InForce.of(self.current)
        """The current version made ready; whoever decides about several pairs takes it once."""

    @property
    def current(self) -> Version:
        """The version in force."""
        return self.versions[-1]

    def version(self, number: int) -> Version:
        """Return a version; raises ServeError 404 where there is none such."""
        for each in self.versions:
            if each.version == number:
                return each
        raise ServeError(404, "Validation", f"there is no version {number}")

    def replace(self, policy: Policy, *, based_on: int) -> Version:
        """Put a policy in force; raises ServeError 409 where another came since version `based_on`."""
        with self._lock:
            if based_on != self.current.version:
                latest = f"version {self.current.version} is in force, not {based_on}; read it and try again"
                raise ServeError(409, "Conflict", latest)
            made = Version(version=based_on + 1, policy=policy)
            if self._folder is not None:
                _keep(made, _file(self._folder, made.version))
            self.versions = (*self.versions, made)
            self.in_force = InForce.of(made)
        return made

    def roll_back(self, number: int, *, based_on: int) -> Version:
        """Put an earlier policy in force again, as a new version; raises ServeError like `version` and `replace`."""
        earlier = self.version(number).policy
        return self.replace(earlier.model_copy(update={"note": f"back to version {number}"}), based_on=based_on)


def folded(text: str) -> str:
    """Return a text without what does not matter when it is looked for.

    >>> folded(" Ｔｅａ  POT")
    'tea pot'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _looked_up(rules: Iterable[Rule]) -> Rules:
    return frozenset((folded(rule.query or ""), folded(rule.target or "")) for rule in rules)


def _names(question: Question) -> set[tuple[str, str]]:
    """Return every rule that would name the pair: by its query, by its target or a category above, or by both."""
    query, target = folded(question.query), folded(question.target)
    ends = [len(target)]
    if question.task == "QC":
        ends += [end for end, sign in enumerate(target) if sign == "," and target[end + 1 : end + 2] != " "]
    return {(query, "")} | {(asked, target[:end]) for asked in (query, "") for end in ends}


def _keep(made: Version, file: Path) -> None:
    """Write a version whole; raises ServeError where another server has written it, or it cannot be written."""
    try:
        with whole_file(file, f".{uuid4().hex}", replace=False) as part:
            part.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as reason:
        if file.exists():
            latest = f"another server has made version {made.version}; start this one again to read it"
            raise ServeError(409, "Conflict", latest) from reason
        kept = f"the policy could not be kept ({reason.strerror}); nothing was changed"
        raise ServeError(503, "Backend", kept) from reason


def _kept(folder: Path | None) -> list[Version]:
    if folder is None or not folder.exists():
        return []
    if not folder.is_dir():
        raise DataError(f"{folder} is a file; name a folder, in which the versions of the policy are kept")
    kept = []
    for number, file in enumerate(sorted(folder.glob("*.json")), 1):
        with undamaged(file, "put the file back, or remove it and those after it"):
            version = _read(file)
        if version.version != number or file != _file(folder, number):
            raise DataError(f"{file} is not version {number} of the policy; put the missing file back")
        kept.append(version)
    return kept


def _read(file: Path) -> Version:
    try:
        return Version.model_validate_json(file.read_bytes())
    except ValidationError as reason:
        raise DataError(f"{file} is no policy: {reason.errors()[0]['msg']}; put the file back") from reason


def _file(folder: Path, version: int) -> Path:
    return folder / f"{version:06}.json"
