"""Training in processes of their own, started by torchrun: the only part of a run that is distributed."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from shopglot.core.errors import TrainingError
from shopglot.core.files import read_json, whole_file, write_json
from shopglot.core.pairs import Pairs
from shopglot.format.template import Template
from shopglot.learn.llm_settings import LaunchSettings, LLMSettings
from shopglot.learn.pretrained import resolve
from shopglot.learn.stages import train_stages
from shopglot.learn.store import read_template, template_facts

log = logging.getLogger(__name__)


def launch(settings: LLMSettings, template: Template, pairs: Pairs, work: Path, devices: str | None = None) -> None:
    """Train the stages in other processes; `devices` are those they may see, such as "0,1".

    Raises TrainingError when one of them dies. What it had kept is whole, and the next run goes on from there.
    """
    resolve(settings.model)  # so that an embedded model is made once, not in every process
    job = work / "job.json"
    with whole_file(work / "pairs.parquet") as part:
        pairs.frame.write_parquet(part)
    write_json(job, {"settings": settings.model_dump(mode="json"), "template": template_facts(template)})
    seen = {} if devices is None else {"CUDA_VISIBLE_DEVICES": devices}
    log.info("training %s in %d processes", settings.name, settings.launch.world_size)
    ended = subprocess.run(_command(settings.launch, job), env={**os.environ, **seen}, check=False)
    if ended.returncode:
        raise TrainingError(
            f"training {settings.name!r} ended with exit code {ended.returncode} in one of its processes (its words "
            f"are above); run the same command again, and it goes on from the last checkpoint in {work}"
        )


def train_here(job: Path) -> None:
    """Train what `launch` wrote down, as one of the processes that torchrun started."""
    facts = read_json(job)
    settings = LLMSettings(**facts["settings"])
    _check_together(settings.launch)
    pairs = Pairs.from_parquet(job.with_name("pairs.parquet"))
    train_stages(settings, read_template(facts["template"], job), pairs, job.parent)


def _command(launch: LaunchSettings, job: Path) -> list[str]:
    host, _, port = launch.address.rpartition(":")
    rendezvous = (
        ["--standalone"]
        if launch.nodes == 1
        else [f"--node_rank={launch.node_rank}", f"--master_addr={host}", f"--master_port={port}"]
    )
    return [
        *(sys.executable, "-m", "torch.distributed.run"),
        *(f"--nnodes={launch.nodes}", f"--nproc_per_node={launch.processes}", *rendezvous),
        *("-m", "shopglot.learn.worker", str(job)),
    ]


def _check_together(launch: LaunchSettings) -> None:
    """Refuse to train apart from the others: copies that never meet would each report success."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world != launch.world_size:
        raise TrainingError(
            f"{launch.world_size} processes were asked for and {world} came; start them by `shopglot run`"
        )
