"""What goes wrong, in the form that each kind of client reads."""

import traceback
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from starlette.responses import JSONResponse

Kind = Literal["Validation", "Tokenizer", "Backend", "Overloaded", "Unhealthy", "Empty", "Unauthorized", "Conflict"]

_COHERE: Final = ("/v1/rerank", "/v2/rerank")
_VLLM: Final = ("/score", "/classify")


class ServeError(Exception):
    """A request that is not answered: the status, the kind of error in the words of TEI, and one sentence."""

    def __init__(self, status: int, kind: Kind, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Take what the client is told."""
        super().__init__(message)
        self.status, self.kind, self.message, self.headers = status, kind, message, dict(headers or {})


class TeiError(BaseModel):
    """The error of Text Embeddings Inference, and of this server's own paths."""

    error: str
    error_type: Kind


class CohereError(BaseModel):
    """The error of Cohere (`message`) and of Jina (`detail`)."""

    message: str
    detail: str


class VllmProblem(BaseModel):
    """What vLLM and OpenAI say of an error."""

    message: str
    type: Kind
    param: str | None
    code: int


class VllmError(BaseModel):
    """The error of vLLM."""

    error: VllmProblem


def error_response(path: str, error: ServeError) -> JSONResponse:
    """Return the error in the form that clients of `path` expect; nothing of the request is repeated."""
    return JSONResponse(_body(path, error), error.status, headers=error.headers)


def without_words(reason: Exception) -> str:
    """Return what failed where, for the log, without what the exception says: its words may hold a query."""
    return "\n".join([type(reason).__name__, *traceback.format_tb(reason.__traceback__)])


def responses(model: type[BaseModel] = TeiError) -> dict[int | str, dict[str, Any]]:
    """Return the errors that an endpoint which scores may answer, for its description."""
    return {status: {"model": model, "description": meaning} for status, meaning in _MEANINGS.items()}


def _body(path: str, error: ServeError) -> dict[str, Any]:
    if path in _COHERE:
        return CohereError(message=error.message, detail=error.message).model_dump()
    if path in _VLLM:
        problem = VllmProblem(message=error.message, type=error.kind, param=None, code=error.status)
        return VllmError(error=problem).model_dump()
    return TeiError(error=error.message, error_type=error.kind).model_dump()


_MEANINGS: Final = {
    400: "The body is no JSON, or has nothing to judge.",
    401: "The API key is missing or unknown.",
    408: "The body came too slowly.",
    413: "The body, a text or the number of pairs is above the limit.",
    422: "The body is not what this path reads.",
    424: "The model failed on this request.",
    429: "There is more to do than can be done in time; come again after `Retry-After` seconds.",
    503: "The server is ending.",
    504: "The request was taken, and not done by its deadline.",
}
