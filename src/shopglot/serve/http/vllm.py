"""The paths of vLLM: score and classify."""

import time
from typing import Any, Final, Literal
from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shopglot.serve.http.errors import ServeError, VllmError, responses
from shopglot.serve.http.service import Asked, Serving, judged_pairs, tokens
from shopglot.serve.http.text import Text

router: Final = APIRouter(tags=["vLLM"])

Texts = Text | list[Text]
LABELS: Final = ("irrelevant", "relevant")


class ScoreRequest(BaseModel):
    """One text against one or several, or as many against as many; under either pair of names."""

    model: Text | None = Field(None, description="Any name; `…:QC` or `…:QI` says what the second texts are.")
    text_1: Texts | None = Field(None, examples=["hundebett"])
    text_2: Texts | None = Field(None, examples=[["Orthopedic Dog Bed, Large", "Cat Tree"]])
    queries: Texts | None = None
    documents: Texts | None = None


class ScoreData(BaseModel):
    """The probability that one pair is relevant."""

    index: int
    object: Literal["score"] = "score"
    score: float


class Usage(BaseModel):
    """About how many tokens were read, estimated by bytes."""

    prompt_tokens: int
    total_tokens: int
    completion_tokens: int = 0


class Scored(BaseModel):
    """The scores in the order of the pairs."""

    id: str
    object: Literal["list"] = "list"
    created: int
    model: str
    data: list[ScoreData]
    usage: Usage


class ClassifyRequest(BaseModel):
    """Pairs: each a list of query and text, or one string with a tab between them."""

    model: Text | None = Field(None, description="Any name; `…:QC` or `…:QI` says what the texts are.")
    input: Text | list[Text | tuple[Text, Text]] = Field(examples=[["hundebett\tOrthopedic Dog Bed, Large"]])


class ClassifyData(BaseModel):
    """The likelier label of a pair, and the probabilities of irrelevant and relevant."""

    index: int
    label: Literal["irrelevant", "relevant"]
    probs: list[float]
    num_classes: int = len(LABELS)


class Classified(BaseModel):
    """The labels in the order of the pairs."""

    id: str
    object: Literal["list"] = "list"
    created: int
    model: str
    data: list[ClassifyData]
    usage: Usage


@router.post("/score", responses=responses(VllmError))
async def score(body: ScoreRequest, service: Serving, asked: Asked) -> Scored:
    """Say how likely each pair is relevant."""
    one = body.text_1 if body.text_1 is not None else body.queries
    other = body.text_2 if body.text_2 is not None else body.documents
    if one is None or other is None:
        raise ServeError(422, "Validation", "give text_1 and text_2, or queries and documents")
    pairs = _paired(_listed(one), _listed(other))
    verdicts = await judged_pairs(service, pairs, asked, body.model)
    data = [ScoreData(index=place, score=verdict.probability) for place, verdict in enumerate(verdicts)]
    return Scored(data=data, **_about("score", body.model or service.model, pairs))


@router.post("/classify", responses=responses(VllmError))
async def classify(body: ClassifyRequest, service: Serving, asked: Asked) -> Classified:
    """Say whether each pair is relevant: here the likelier label counts, no threshold."""
    given = [body.input] if isinstance(body.input, str) else body.input
    pairs = [_pair(each) for each in given]
    verdicts = await judged_pairs(service, pairs, asked, body.model)
    data = [
        ClassifyData(
            index=place,
            label="relevant" if verdict.probability >= 0.5 else "irrelevant",  # noqa: PLR2004
            probs=[1 - verdict.probability, verdict.probability],
        )
        for place, verdict in enumerate(verdicts)
    ]
    return Classified(data=data, **_about("classify", body.model or service.model, pairs))


def _about(kind: str, model: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    read = tokens(pairs)
    usage = Usage(prompt_tokens=read, total_tokens=read)
    return {"id": f"{kind}-{uuid4().hex}", "created": int(time.time()), "model": model, "usage": usage}


def _listed(texts: Texts) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


def _paired(one: list[str], other: list[str]) -> list[tuple[str, str]]:
    if len(one) == 1:
        one = one * len(other)
    if len(one) != len(other):
        raise ServeError(422, "Validation", "give one first text, or as many as there are second ones")
    return list(zip(one, other, strict=True))


def _pair(given: str | tuple[str, str]) -> tuple[str, str]:
    if not isinstance(given, str):
        return given
    query, tab, text = given.partition("\t")
    if not tab:
        raise ServeError(422, "Validation", "relevance is of pairs: give [query, text], or both with a tab between")
    return query, text
