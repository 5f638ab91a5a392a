"""Rerank as Cohere (version 1 and 2) and Jina have it."""

from typing import Annotated, Final
from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shopglot.serve.http.errors import CohereError, responses
from shopglot.serve.http.question import Verdict
from shopglot.serve.http.service import Asked, Serving, judged_pairs, ranked, tokens
from shopglot.serve.http.text import Text

router: Final = APIRouter(tags=["Cohere and Jina"])


class Document(BaseModel):
    """A text to be ordered."""

    text: Text


Model = Annotated[Text | None, Field(description="Any name; `…:QC` or `…:QI` says what the documents are.")]


class RerankV1(BaseModel):
    """What Cohere's first version and Jina ask."""

    model: Model = None
    query: Text = Field(examples=["hundebett"])
    documents: list[Text | Document] = Field(examples=[["Orthopedic Dog Bed, Large", {"text": "Cat Tree"}]])
    top_n: int | None = Field(None, ge=1)
    return_documents: bool | None = None


class RerankV2(BaseModel):
    """What Cohere's second version asks."""

    model: Model = None
    query: Text = Field(examples=["hundebett"])
    documents: list[Text] = Field(examples=[["Orthopedic Dog Bed, Large", "Cat Tree"]])
    top_n: int | None = Field(None, ge=1)
    max_tokens_per_doc: int | None = Field(None, ge=1, description="Read and not heeded: the model cuts where it must.")


class Result(BaseModel):
    """A document's place in the request, and its probability of being relevant."""

    index: int
    relevance_score: float
    document: Document | None = None


class Usage(BaseModel):
    """About how many tokens were read, estimated by bytes."""

    total_tokens: int
    prompt_tokens: int


class ApiVersion(BaseModel):
    """The version of Cohere's interface that was spoken."""

    version: str


class BilledUnits(BaseModel):
    """What Cohere would count: one search."""

    search_units: int = 1


class Meta(BaseModel):
    """What Cohere says beside the results."""

    api_version: ApiVersion
    billed_units: BilledUnits = BilledUnits()


class AnswerV2(BaseModel):
    """Cohere's answer."""

    id: str
    results: list[Result]
    meta: Meta


class AnswerV1(AnswerV2):
    """The answer that clients of Cohere and of Jina both read."""

    model: str
    object: str = "list"
    usage: Usage


@router.post("/v1/rerank", response_model_exclude_none=True, responses=responses(CohereError))
async def rerank_v1(body: RerankV1, service: Serving, asked: Asked) -> AnswerV1:
    """Order documents by their relevance to a query, the most relevant first."""
    texts = [each if isinstance(each, str) else each.text for each in body.documents]
    pairs = [(body.query, text) for text in texts]
    verdicts = await judged_pairs(service, pairs, asked, body.model)
    results = _results(verdicts, body.top_n, texts if body.return_documents else None)
    read = tokens(pairs)
    usage = Usage(total_tokens=read, prompt_tokens=read)
    name = body.model or service.model
    return AnswerV1(id=str(uuid4()), results=results, meta=_meta("1"), model=name, usage=usage)


@router.post("/v2/rerank", response_model_exclude_none=True, responses=responses(CohereError))
async def rerank_v2(body: RerankV2, service: Serving, asked: Asked) -> AnswerV2:
    """Order documents by their relevance to a query, the most relevant first."""
    verdicts = await judged_pairs(service, [(body.query, text) for text in body.documents], asked, body.model)
    return AnswerV2(id=str(uuid4()), results=_results(verdicts, body.top_n, None), meta=_meta("2"))


def _results(verdicts: list[Verdict], top: int | None, texts: list[str] | None) -> list[Result]:
    return [
        Result(
            index=place,
            relevance_score=verdicts[place].probability,
            document=None if texts is None else Document(text=texts[place]),
        )
        for place in ranked(verdicts)[:top]
    ]


def _meta(version: str) -> Meta:
    return Meta(api_version=ApiVersion(version=version))
