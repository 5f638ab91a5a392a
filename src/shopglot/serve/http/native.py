"""This server's own paths: relevance with all that led to it, and categories for a query."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from shopglot.core.category import CategoryPath
from shopglot.core.pair import Task
from shopglot.serve.http.errors import ServeError, responses
from shopglot.serve.http.policy import InForce, ThresholdOf
from shopglot.serve.http.question import Question, Verdict
from shopglot.serve.http.service import Service, Serving, check, judged
from shopglot.serve.http.suggest import Suggester, Suggestion, consistent, with_ancestors
from shopglot.serve.http.text import Text
from shopglot.serve.http.translation import Translation

router: Final = APIRouter(tags=["shopglot"])

Language = Annotated[
    str | None, Field(pattern="^[a-z]{2,3}$", description="ISO 639-1; it is detected when left out.", examples=["de"])
]
English = Annotated[Text | None, Field(description="The query in English, where the client knows it.")]
Translate = Annotated[bool, Field(description="Whether queries without `english` are translated first.")]
MOST_CATEGORIES: Final = 50
_CANDIDATES: Final = 32


class AskedPair(BaseModel):
    """A query and a target: a category path in task QC, an item's title in task QI."""

    query: Text = Field(examples=["hundebett"])
    target: Text = Field(examples=["Orthopedic Dog Bed, Large"])
    task: Task | None = Field(None, description="The server's own when left out.")
    language: Language = None
    english: English = None
    fields: dict[Text, Text] = Field(
        default_factory=dict,
        description="The item's other fields that the model reads, by their names in the training data.",
    )


class Relevance(BaseModel):
    """Pairs to be judged."""

    pairs: list[AskedPair]
    translate: Translate = False


class ReadQuery(BaseModel):
    """How a query was read."""

    language: str | None = Field(description="Null where it cannot be told.")
    language_from: Literal["given", "detected", "unknown"]
    translation: str | None = Field(description="The English that the model was given.")
    translation_outcome: str = Field(
        description="`not-asked`, `given`, `no-translator`, or what became of it, such as `new` or `cached`."
    )
    read: str | None = Field(
        description="Which text of the query the model reads: `original`, `english` or `both`; null where unknown."
    )


class Judged(ReadQuery):
    """What the model says of a pair: `relevant` is `probability >= threshold`."""

    probability: float
    relevant: bool
    threshold: float
    threshold_of: ThresholdOf = Field(description="Who says so: the bundle, or a policy of this server.")
    flag: str | None = Field(description="Why there was nothing to judge, so that the answer is the task's prior.")
    stage: str | None = Field(description="The stage of a cascade that decided it; null for a single model.")
    cut_short: bool = Field(description="Whether a later stage would have been asked, had there been time.")


class RelevanceAnswer(BaseModel):
    """The verdicts in the order of the pairs."""

    model: str
    policy: int = Field(description="The version of the policy that was in force.")
    results: list[Judged]


class Categories(BaseModel):
    """A query whose categories are wanted."""

    query: Text = Field(examples=["hundebett"])
    language: Language = None
    english: English = None
    translate: Translate = False
    top: int = Field(5, ge=1, le=MOST_CATEGORIES)
    below_threshold: bool = Field(False, description="Whether categories that are not relevant are listed too.")


class Category(BaseModel):
    """A category of the server's tree. They are ordered by `fit`, which heeds the categories above."""

    path: str
    levels: list[str]
    probability: float
    relevant: bool
    threshold: float
    threshold_of: ThresholdOf
    fit: float = Field(description="The log odds of the category, with a share of those above it.")


class CategoriesAnswer(ReadQuery):
    """The best categories; `none_fits` where no candidate is relevant."""

    model: str
    policy: int
    none_fits: bool
    categories: list[Category]


@router.post("/v1/relevance", responses=responses(), response_model=RelevanceAnswer)
async def relevance(body: Relevance, service: Serving) -> Response:
    """Say how likely pairs are relevant, what is decided, and what it rests on."""
    texts = (
        text
        for each in body.pairs
        for text in (each.query, each.target, each.english or "", *each.fields, *each.fields.values())
    )
    check(service.settings, len(body.pairs), texts)
    questions = [_question(service, each) for each in body.pairs]
    verdicts, translations = await judged(service, questions, translate=body.translate)
    policy = service.policies.in_force
    rows = zip(questions, verdicts, translations, strict=True)
    results = [_judged(policy, *row) for row in rows]
    answer = RelevanceAnswer(model=service.model, policy=policy.version, results=results)
    return Response(answer.model_dump_json(), media_type="application/json")  # else each result is checked once more


@router.post("/v1/categories", responses=responses())
async def categories(body: Categories, service: Serving) -> CategoriesAnswer:
    """Say which categories of the server's tree a query means; it may be none."""
    suggester = _suggester(service)
    check(service.settings, 1, (body.query, body.english or ""))
    asked = Question(service.task("QC"), body.query, "", body.language, body.english or None)
    (question,), (translation,) = await service.translations.of([asked], wanted=body.translate)
    found = await _found(service, suggester, question)
    verdict = found[0].verdict if found else Verdict(0, 0, question.language)
    policy = service.policies.in_force
    listed = [_category(policy, question, each) for each in found]
    relevant = [each for each in listed if each.relevant]
    return CategoriesAnswer(
        model=service.model,
        policy=policy.version,
        none_fits=not relevant,
        categories=(listed if body.below_threshold else relevant)[: body.top],
        **how_read(asked, verdict, translation),
    )


def how_read(asked: Question, verdict: Verdict, translation: Translation) -> dict[str, str | None]:
    """Return the fields of `ReadQuery`."""
    detected = "unknown" if verdict.language is None else "detected"
    return {
        "language": verdict.language,
        "language_from": "given" if asked.language else detected,
        "translation": translation.text,
        "translation_outcome": translation.outcome,
        "read": verdict.read,
    }


def _question(service: Service, pair: AskedPair) -> Question:
    task = service.task(pair.task)
    fields = service.fields(task, pair.fields)
    return Question(task, pair.query, pair.target, pair.language, pair.english or None, fields)


def _judged(policy: InForce, question: Question, verdict: Verdict, translation: Translation) -> Judged:
    threshold, threshold_of = policy.threshold(question, verdict)
    return Judged(
        probability=verdict.probability,
        relevant=verdict.probability >= threshold,
        threshold=threshold,
        threshold_of=threshold_of,
        flag=verdict.flag,
        stage=verdict.stage,
        cut_short=verdict.cut_short,
        **how_read(question, verdict, translation),
    )


def _suggester(service: Service) -> Suggester:
    if service.suggester is None:
        raise ServeError(422, "Validation", "this server knows no category tree; start it with --taxonomy")
    return service.suggester


async def _found(service: Service, suggester: Suggester, question: Question) -> list[Suggestion]:
    texts = [text for text in dict.fromkeys((question.query, question.english)) if text]
    paths = await service.batcher.beside(lambda: suggester.candidates(texts, _CANDIDATES))
    nodes = with_ancestors(paths)
    verdicts = await service.batcher.judge([question._replace(target=node) for node in nodes])
    return consistent(paths, dict(zip(nodes, verdicts, strict=True)))


def _category(policy: InForce, question: Question, found: Suggestion) -> Category:
    threshold, threshold_of = policy.threshold(question, found.verdict)
    return Category(
        path=found.path,
        levels=list(CategoryPath.parse(found.path).levels),
        probability=found.verdict.probability,
        relevant=found.verdict.probability >= threshold,
        threshold=threshold,
        threshold_of=threshold_of,
        fit=found.fit,
    )
