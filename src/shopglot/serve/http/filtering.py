"""The online filter: which candidates of a query stay, by the model and by the shop's own policy."""

from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from shopglot.core.pair import Task
from shopglot.serve.http.errors import ServeError, TeiError, responses
from shopglot.serve.http.guard import KEY
from shopglot.serve.http.metrics import Metrics
from shopglot.serve.http.native import English, Language, ReadQuery, Translate, how_read
from shopglot.serve.http.policy import InForce, Policy, ThresholdOf, Version
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.security import Key
from shopglot.serve.http.service import Serving, check, judged, ranked
from shopglot.serve.http.text import Text

router: Final = APIRouter(tags=["Filter and policy"])

_WITH_KEY: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": TeiError} for status in (400, 401, 404, 408, 413, 422)
}
_WITH_ADMIN: Final = {**_WITH_KEY, 403: {"model": TeiError}, 409: {"model": TeiError}}


def _admin(request: Request) -> Key:
    """Return the key of someone who may change policies; raises ServeError 403 for anyone else."""
    key: Key | None = request.scope.get(KEY)
    if key is None or not key.admin:
        raise ServeError(403, "Unauthorized", "a policy is changed with a key that is marked `admin`")
    return key


Admin = Annotated[Key, Depends(_admin)]
Reason = Literal["relevant", "below-threshold", "allowed", "blocked", "kept-so-that-some-are-left"]


class Filter(BaseModel):
    """A query and what a search found for it."""

    query: Text = Field(examples=["hundebett"])
    candidates: list[Text] = Field(examples=[["Orthopedic Dog Bed, Large", "Cat Tree"]])
    task: Task | None = Field(None, description="QC: candidates are category paths; QI: items; else the server's own.")
    language: Language = None
    english: English = None
    translate: Translate = False
    keep_at_least: int = Field(1, ge=0, description="So many stay even if none is relevant; 0: the list may be empty.")


class Candidate(BaseModel):
    """What becomes of a candidate; `index` is its place in the request."""

    index: int
    probability: float
    threshold: float
    threshold_of: ThresholdOf
    reason: Reason


class FilterAnswer(ReadQuery):
    """The candidates that stay and those that do not, each in the order they came in.

    In shadow mode all stay, each with the `reason` that would decide it, and `would_remove` says which would go.
    """

    model: str
    policy: int = Field(description="The version of the policy that was in force.")
    shadow: bool
    kept: list[Candidate]
    removed: list[Candidate]
    would_remove: list[int]


class PolicyChange(BaseModel):
    """A policy to be put in force, made from the version that was read."""

    based_on: int = Field(ge=0)
    policy: Policy


class RollBack(BaseModel):
    """An earlier version whose policy is put in force again."""

    version: int = Field(ge=0)
    based_on: int = Field(ge=0)


@router.post("/v1/filter", responses=responses())
async def filter_candidates(body: Filter, service: Serving) -> FilterAnswer:
    """Say which candidates are relevant enough to be shown."""
    check(service.settings, len(body.candidates), (body.query, body.english or "", *body.candidates))
    task = service.task(body.task)
    questions = [Question(task, body.query, each, body.language, body.english or None) for each in body.candidates]
    verdicts, translations = await judged(service, questions, translate=body.translate)
    policy = service.policies.in_force
    candidates = _decided(policy, questions, verdicts, body.keep_at_least)
    _count(service.metrics, policy, questions, verdicts, candidates)
    gone = [each for each in candidates if each.reason in ("below-threshold", "blocked")]
    removed = [] if policy.shadow else gone
    return FilterAnswer(
        model=service.model,
        policy=policy.version,
        shadow=policy.shadow,
        kept=[each for each in candidates if each not in removed],
        removed=removed,
        would_remove=[each.index for each in gone],
        **how_read(questions[0], verdicts[0], translations[0]),
    )


@router.get("/v1/policy", responses=_WITH_KEY)
async def policy(service: Serving) -> Version:
    """Return the policy in force."""
    return service.policies.current


@router.get("/v1/policy/{version}", responses=_WITH_KEY)
async def policy_version(version: int, service: Serving) -> Version:
    """Return an earlier policy."""
    return service.policies.version(version)


@router.put("/v1/policy", responses=_WITH_ADMIN)
async def replace_policy(body: PolicyChange, service: Serving, _: Admin) -> Version:
    """Put a policy in force; it is refused where another came since the version that it was made from."""
    for each in body.policy.thresholds:
        service.task(each.task)  # which raises where the model does not decide it
    return await to_thread.run_sync(lambda: service.policies.replace(body.policy, based_on=body.based_on))


@router.post("/v1/policy/rollback", responses=_WITH_ADMIN)
async def roll_back(body: RollBack, service: Serving, _: Admin) -> Version:
    """Put an earlier policy in force again, as a new version."""
    return await to_thread.run_sync(lambda: service.policies.roll_back(body.version, based_on=body.based_on))


def _decided(
    policy: InForce, questions: list[Question], verdicts: list[Verdict], keep_at_least: int
) -> list[Candidate]:
    candidates = [_candidate(policy, place, *row) for place, row in enumerate(zip(questions, verdicts, strict=True))]
    kept = sum(each.reason in ("relevant", "allowed") for each in candidates)
    spare = [place for place in ranked(verdicts) if candidates[place].reason == "below-threshold"]
    for place in spare[: max(0, keep_at_least - kept)]:
        candidates[place] = candidates[place].model_copy(update={"reason": "kept-so-that-some-are-left"})
    return candidates


def _candidate(policy: InForce, place: int, question: Question, verdict: Verdict) -> Candidate:
    threshold, threshold_of = policy.threshold(question, verdict)
    reason: Reason = "relevant" if verdict.probability >= threshold else "below-threshold"
    if policy.blocks(question):
        reason = "blocked"
    elif policy.allows(question):
        reason = "allowed"
    return Candidate(
        index=place, probability=verdict.probability, threshold=threshold, threshold_of=threshold_of, reason=reason
    )


def _count(
    metrics: Metrics, policy: InForce, questions: list[Question], verdicts: list[Verdict], candidates: list[Candidate]
) -> None:
    for question, verdict, candidate in zip(questions, verdicts, candidates, strict=True):
        metrics.filtered(question.task, verdict.language, candidate.reason, shadow=policy.shadow)
