"""The processes of a Ray cluster, each with the engine that scores on one machine, score Parquet files into shards."""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Final

from shopglot.core.errors import ClusterError, RecipeError
from shopglot.serve.files.settings import ClusterSettings
from shopglot.serve.machines.units import Unit
from shopglot.serve.machines.worker import Row, Surveyor, UnitScorer

_SOON: Final = 5.0
_MOST_CPUS: Final = 8


@dataclass(frozen=True, slots=True)
class RayWorkers:
    """Workers of a cluster to which `ray` is connected.

    Ray deals the units, and deals those of a lost machine again; a worker of which nothing is heard may still be at
    work, so two may come to write one shard.
    """

    ray: ModuleType
    settings: ClusterSettings

    def survey(self, units: Sequence[Unit], surveyor: Surveyor) -> Iterator[Row]:
        """Yield what is seen in each unit, in their order."""
        return self._rows(units, surveyor, num_cpus=1)

    def score(self, units: Sequence[Unit], scorer: UnitScorer) -> Iterator[Row]:
        """Yield the units in their order as their shards are written, by actors, which load the model once each."""
        cpus, room = _room(self.ray, self.settings)
        most = max(1, min(room, len(units), self.settings.workers or room))
        compute = self.ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most)
        gpus = self.settings.gpus_per_worker
        arguments = {"fn_constructor_args": [scorer, cpus]}
        return self._rows(units, _Kept, compute=compute, num_cpus=cpus, num_gpus=gpus, **arguments)

    def _rows(self, units: Sequence[Unit], work: Any, **how: Any) -> Iterator[Row]:
        """Yield what a worker says of each unit; each is a block of its own, for blocks are what workers are dealt."""
        items = self.ray.data.from_items([asdict(unit) for unit in units], override_num_blocks=len(units))
        answers = items.map(work, **how)
        answers.context.enable_progress_bars = False
        answers.context.execution_options.preserve_order = True
        try:
            yield from answers.iter_rows()
        except self.ray.exceptions.RayError as reason:
            said = str(reason).strip().splitlines()[-1]
            raise ClusterError(f"the cluster gave up ({said}); mend that and start the same command again") from reason


class _Kept:
    """A scorer in a process of its own, in which it stays."""

    def __init__(self, scorer: UnitScorer, threads: int) -> None:
        """Say how many threads the libraries may have, which they ask when they are first used."""
        os.environ.update(POLARS_MAX_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
        self.scorer = scorer

    def __call__(self, row: Row) -> Row:
        """Score a unit."""
        return self.scorer(row)


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[RayWorkers]:
    """Give the workers of the cluster at an address, or of one of this machine alone that ends with the block.

    A connection that is there already is used. Raises RecipeError without Ray, ClusterError where nothing answers.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray would tell its makers that it was started
    os.environ.setdefault(
        "RAY_BACKEND_LOG_LEVEL", "fatal"
    )  # what is lost is done again; there is no need to read of it
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        import ray
        import ray.data
    except ImportError as missing:
        raise RecipeError("--engine ray needs Ray: pip install 'shopglot[scale]'") from missing
    if ray.is_initialized():
        yield RayWorkers(ray, settings)
        return
    if settings.address is not None:
        _require_answer(settings.address)
    of_its_own = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if settings.address is None else {}
    try:
        ray.init(settings.address or "local", logging_level="ERROR", log_to_driver=False, **of_its_own)
    except Exception as reason:  # Ray has no class of its own for what goes wrong here
        raise ClusterError(_unusable(settings.address, reason)) from reason
    try:
        yield RayWorkers(ray, settings)
    finally:
        ray.shutdown()


def _room(ray: ModuleType, cluster: ClusterSettings) -> tuple[int, int]:
    """Return how many processors a worker has, and for how many workers the machines have room.

    Where nobody says, a worker takes all of the smallest machine, at most `_MOST_CPUS`: it keeps them busy by itself,
    and the fewer workers there are, the more often one knows a pair already.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not machines:
        raise ClusterError("the cluster has no machine with processors; start `ray start --address …` on some")
    cpus = cluster.cpus_per_worker or min(_MOST_CPUS, *(int(each["CPU"]) for each in machines))
    room = sum(int(each["CPU"]) // cpus for each in machines)
    if gpus := cluster.gpus_per_worker:
        room = min(room, sum(int(each.get("GPU", 0) / gpus) for each in machines))
    if not room:
        raise ClusterError(
            f"no machine of the cluster has {cpus} processors and {gpus:g} GPUs; ask for less with --cpus-per-worker "
            "or --gpus-per-worker"
        )
    return cpus, room


def _require_answer(address: str) -> None:
    """Raise ClusterError unless something listens there, for Ray would try for a minute and then end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not (host and port.isdigit()):
        raise RecipeError(f"--address {address} is no address; give HOST:PORT of the cluster's head, or auto")
    try:
        socket.create_connection((host, int(port)), timeout=_SOON).close()
    except OSError as reason:
        raise ClusterError(_unusable(address, reason)) from reason


def _unusable(address: str | None, reason: Exception) -> str:
    said = " ".join(str(reason).split())[:200]
    return (
        f"no Ray cluster can be used at {address or 'this machine'} ({said}); see `ray status`, or give its --address"
    )
