"""What a server allows itself and its clients."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopglot.core.pair import Task

LANGUAGES = ("ar", "de", "en", "es", "fr", "id", "it", "ja", "ko", "pl", "pt", "th", "vi")


class HttpSettings(BaseModel):
    """The limits of a server; the defaults suit one model on a few cores."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: Task | None = Field(
        default=None, description="What a request that names no task means; None: QI where the bundle decides it."
    )
    languages: tuple[str, ...] = Field(
        default=LANGUAGES, min_length=1, description="The ISO 639-1 codes that language detection may answer."
    )
    request_bytes: int = Field(default=1_000_000, ge=1, description="The longest body, refused before it is parsed.")
    body_seconds: float = Field(default=10.0, gt=0, description="How long a client may take to send its body.")
    pairs_per_request: int = Field(default=1000, ge=1, description="The most pairs of one request.")
    text_characters: int = Field(default=2000, ge=1, description="The longest query, title or path.")
    queue_pairs: int = Field(default=10_000, ge=1, description="The most pairs that wait, those of all requests.")
    queue_seconds: float = Field(
        default=2.5, gt=0, description="The longest wait that a new request may expect; beyond it, the answer is 429."
    )
    deadline_seconds: float = Field(default=5.0, gt=0, description="When a request that was taken is given up: 504.")
    answer_seconds: float | None = Field(
        default=None,
        gt=0,
        description="How long an answer of a cascade should take: its later stages are asked as many pairs as fit. "
        "null: until the deadline.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="How many threads numpy and torch may use for a batch; null: all cores. With 1, answers are "
        "steadiest where vectors decide.",
    )
    join_seconds: float = Field(
        default=0.004, ge=0, description="How long the first request of a batch waits for others to join it."
    )
    batch_seconds: float = Field(
        default=1.5, gt=0, description="About how long a batch may take, at the speed of the latest ones."
    )
    batch_tokens: int = Field(
        default=16_384, ge=1, description="The tokens of a batch, estimated as a quarter of the UTF-8 bytes."
    )
    cache_bytes: int = Field(
        default=64_000_000, ge=0, description="About how much memory scored pairs may take; 0: none is kept."
    )
    connections: int = Field(default=256, ge=1, description="The most connections at a time; beyond it, 503.")
    session_seconds: float = Field(
        default=43_200, gt=0, description="How long somebody who signed in on a page stays signed in."
    )
    sessions: int = Field(default=1000, ge=1, description="The most who are signed in; beyond it, the oldest go.")
    shutdown_seconds: int = Field(default=30, ge=1, description="How long a server that ends works on what it took.")
    log_queries: bool = Field(default=False, description="Whether log lines hold the texts of queries.")
    cors_origins: tuple[str, ...] = Field(
        default=(), description="The origins whose pages may call the server; empty: none but its own."
    )

    @model_validator(mode="after")
    def _a_request_fits_into_the_queue(self) -> Self:
        if self.pairs_per_request > self.queue_pairs:
            raise ValueError("pairs_per_request is above queue_pairs, so the largest requests could never be taken")
        if self.queue_seconds > self.deadline_seconds:
            raise ValueError("queue_seconds is above deadline_seconds, so what is taken could not be done in time")
        return self
