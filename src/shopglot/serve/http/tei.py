"""The paths of Text Embeddings Inference: rerank, predict and info."""

from importlib.metadata import version
from typing import Final, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from shopglot.core.log_odds import logit
from shopglot.serve.http.errors import ServeError, responses
from shopglot.serve.http.question import Verdict
from shopglot.serve.http.service import Asked, Serving, judged_pairs, ranked
from shopglot.serve.http.text import Text

router: Final = APIRouter(tags=["Text Embeddings Inference"])


class Rerank(BaseModel):
    """A query and the texts that are ordered by it. Texts are cut as the model needs, asked for or not."""

    query: Text = Field(examples=["hundebett"])
    texts: list[Text] = Field(examples=[["Orthopedic Dog Bed, Large", "Cat Tree"]])
    truncate: bool | None = None
    truncation_direction: Literal["left", "right", "Left", "Right"] | None = None
    raw_scores: bool = Field(False, description="Whether scores are log odds in the place of probabilities.")
    return_text: bool = False


class Rank(BaseModel):
    """A text's place in the request, and its score."""

    index: int
    score: float
    text: str | None = None


class Predict(BaseModel):
    """One pair, `[query, text]`, or a list of pairs."""

    inputs: Text | list[Text | list[Text]] = Field(examples=[[["hundebett", "Orthopedic Dog Bed, Large"]]])
    truncate: bool | None = None
    raw_scores: bool = Field(False, description="Whether scores are log odds in the place of probabilities.")


class Prediction(BaseModel):
    """How likely a label is."""

    score: float
    label: Literal["relevant", "irrelevant"]


class Info(BaseModel):
    """What serves."""

    model_id: str
    model_sha: str | None
    model_dtype: str
    model_type: dict[str, dict[str, dict[str, str]]]
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str


@router.post("/rerank", response_model_exclude_none=True, responses=responses())
async def rerank(body: Rerank, service: Serving, asked: Asked) -> list[Rank]:
    """Order texts by their relevance to a query, the most relevant first."""
    verdicts = await judged_pairs(service, [(body.query, text) for text in body.texts], asked)
    return [
        Rank(
            index=place,
            score=_score(verdicts[place], raw=body.raw_scores),
            text=body.texts[place] if body.return_text else None,
        )
        for place in ranked(verdicts)
    ]


@router.post("/predict", responses=responses())
async def predict(body: Predict, service: Serving, asked: Asked) -> list[Prediction] | list[list[Prediction]]:
    """Say how likely pairs are relevant; one pair is answered by one list, several by a list of them."""
    alone = any(isinstance(each, str) for each in body.inputs)
    pairs = [_pair(body.inputs)] if alone else [_pair(each) for each in body.inputs]
    verdicts = await judged_pairs(service, pairs, asked)
    predictions = [_predictions(verdict, raw=body.raw_scores) for verdict in verdicts]
    return predictions[0] if alone else predictions


@router.get("/info")
async def info(service: Serving) -> Info:
    """Say what serves, and its limits."""
    settings = service.settings
    return Info(
        model_id=service.model,
        model_sha=service.facts.get("sha256"),
        model_dtype=str(service.facts.get("dtype", "float32")),
        model_type={"classifier": {"id2label": {"0": "irrelevant", "1": "relevant"}, "label2id": {}}},
        max_concurrent_requests=settings.connections,
        max_input_length=settings.text_characters,
        max_batch_tokens=settings.batch_tokens,
        max_client_batch_size=settings.pairs_per_request,
        auto_truncate=True,
        tokenization_workers=1,
        version=version("shopglot"),
    )


def _pair(given: str | list[str | list[str]] | list[str]) -> tuple[str, str]:
    match given:
        case [str(query), str(text)]:
            return query, text
    raise ServeError(422, "Validation", "relevance is of pairs: give [query, text], or a list of them")


def _predictions(verdict: Verdict, *, raw: bool) -> list[Prediction]:
    """Return both labels, the likelier one first, as TEI does."""
    against = verdict._replace(probability=1 - verdict.probability)
    both = [
        Prediction(score=_score(verdict, raw=raw), label="relevant"),
        Prediction(score=_score(against, raw=raw), label="irrelevant"),
    ]
    return sorted(both, key=lambda each: -each.score)


def _score(verdict: Verdict, *, raw: bool) -> float:
    return float(logit(np.array(verdict.probability))) if raw else verdict.probability
