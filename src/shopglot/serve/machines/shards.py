"""The folder of a scoring by many machines: one file per unit, and a manifest once all are there."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl

from shopglot.core.errors import ClusterError, DataError
from shopglot.core.files import read_json, sha256, whole_file, write_json
from shopglot.serve.files.stream import in_order
from shopglot.serve.machines.units import Unit

MANIFEST: Final = "manifest.json"
SURVEY: Final = "survey"
QUARANTINE: Final = "quarantine.jsonl"
_JOB: Final = "job.json"
_FOOTER: Final = "shopglot"


@dataclass(frozen=True, slots=True)
class Shards:
    """The folder `folder` with the shards of the job `job`, which is a checksum of all that the rows depend on.

    A shard says in its footer which job and unit it is of and what was counted, so that one rename makes it whole.
    """

    folder: Path
    job: str

    @classmethod
    def bound(cls, folder: Path, made_from: Mapping[str, Any]) -> "Shards":
        """Return the shards in a folder, to which nothing is added but those of this job.

        Raises DataError where it holds some of another job.
        """
        kept = folder / _JOB
        before = read_json(kept) if kept.exists() else {}
        if changed := [name for name, value in made_from.items() if before.get(name) != value]:
            if any(folder.glob("shard-*.parquet")):
                raise DataError(
                    f"{folder} holds shards of another job, for since then another is {' and '.join(changed)}; "
                    "remove that folder to begin anew, or choose another --out"
                )
            shutil.rmtree(folder / SURVEY, ignore_errors=True)
            write_json(kept, made_from)
        return cls(folder, hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest())

    def counted(self) -> dict[str, int] | None:
        """Return how many rows had what, once all shards are there."""
        path = self.folder / MANIFEST
        return dict(read_json(path)["counts"]) if path.exists() else None

    def path(self, unit: Unit) -> Path:
        """Return where the shard of a unit lies."""
        return self.folder / f"shard-{unit.number:06}.parquet"

    def write(self, unit: Unit, scored: pl.DataFrame, counts: Mapping[str, int]) -> None:
        """Write the shard of a unit, unless another worker has done so meanwhile."""
        if self.said(unit) is not None:
            return
        footer = {"job": self.job, "unit": asdict(unit), "rows": scored.height, "counts": dict(counts)}
        with whole_file(self.path(unit), f".{uuid4().hex}") as part:
            scored.write_parquet(part, metadata={_FOOTER: json.dumps(footer)})

    def said(self, unit: Unit) -> dict[str, Any] | None:
        """Return what the shard of a unit says of itself, None where it is not there, not whole or of another job."""
        try:
            footer = json.loads(pl.read_parquet_metadata(self.path(unit)).get(_FOOTER, "{}"))
        except (pl.exceptions.PolarsError, OSError):
            return None
        same = footer.get("job") == self.job and footer.get("unit") == asdict(unit)
        return footer if same else None

    def finish(self, units: Sequence[Unit], files: Sequence[Path], counted: Mapping[str, int]) -> dict[str, int]:
        """Write the manifest, which lists the shards in the order of the rows, and return how many rows had what.

        `counted` is what the survey has counted. Raises ClusterError where a shard is not there.
        """
        listed, counts = [], Counter[str]()
        for unit in units:
            said, path = self.said(unit), self.path(unit)
            if said is None:
                raise ClusterError(
                    f"{path} is not there, though a worker wrote it; give an --out that all machines share"
                )
            counts.update(said["counts"])
            listed.append(
                {"file": path.name, "input": str(files[unit.file]), "start": unit.start, "stop": unit.stop}
                | {"rows": said["rows"], "counts": said["counts"]}
                | {"bytes": path.stat().st_size, "sha256": sha256(path)}
            )
        for left in self.folder.glob("*.part"):  # of workers that were killed
            left.unlink(missing_ok=True)
        all_counts = {**counted, **in_order(counts)}
        write_json(self.folder / MANIFEST, {"job": self.job, "counts": all_counts, "shards": listed})
        return all_counts
