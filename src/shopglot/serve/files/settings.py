"""What may be chosen about scoring files of any size."""

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """How much is held in memory at a time; what becomes of a row depends on none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunk_bytes: int = Field(
        default=8 * 2**20, ge=1, description="About how many bytes of text are read, scored and written at a time."
    )
    remember: int = Field(
        default=5_000_000, ge=1, description="Of how many distinct pairs the scores are kept for later chunks."
    )


class ClusterSettings(BaseModel):
    """Which cluster scores, and what of it a worker has: a process with the model and an engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None = Field(
        default=None, description="HOST:PORT of the cluster's head, or auto on one of its machines; None: this machine."
    )
    workers: int | None = Field(default=None, ge=1, description="At most so many workers; None: as there is room for.")
    cpus_per_worker: int | None = Field(
        default=None, ge=1, description="Processors of a worker; None: those of the smallest machine, at most eight."
    )
    gpus_per_worker: float = Field(default=0, ge=0, description="GPUs of a worker; .5 lets two share one.")
    part_mb: float = Field(default=8, gt=0, description="About how many megabytes of text become a shard.")
