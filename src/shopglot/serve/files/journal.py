"""What a scoring has done so far, kept so that a killed one goes on where it was."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from shopglot.core.errors import DataError
from shopglot.core.files import named_where_there_is_no_room, read_json, whole_file, write_json
from shopglot.curate.blocks import Place
from shopglot.pack.scored import write_table
from shopglot.serve.files.chunks import Cursor

_BINDING: Final = "binding.json"
LOCK: Final = "lock"
_AT_ONCE: Final = 2**20
_ROW_GROUP: Final = 100_000


@dataclass(frozen=True, slots=True)
class Done:
    """A part that is whole: its number, how many rows it has, and of each kind, and where the next one begins."""

    number: int
    rows: int
    counts: dict[str, int]
    after: Cursor


@dataclass(frozen=True, slots=True)
class Journal:
    """The folder of a scoring that is not finished: parts of the scored file, each with what was learned and counted.

    A part exists once its count does, which is written last.
    """

    folder: Path
    suffix: str

    def bind(self, binding: dict[str, Any]) -> None:
        """Keep what the scored file is made from; raises DataError where parts were made from anything else."""
        kept = self.folder / _BINDING
        if kept.exists():
            before = read_json(kept)
            changed = [name for name, value in binding.items() if before.get(name) != value]
            if changed:
                raise DataError(
                    f"{self.folder} holds parts of a scoring that was stopped, and since then another is "
                    f"{' and '.join(changed)}; remove that folder to begin anew, or choose another --out"
                )
        write_json(kept, binding)

    @property
    def binding(self) -> dict[str, Any]:
        """What the scored file is made from."""
        bound: dict[str, Any] = read_json(self.folder / _BINDING)
        return bound

    def done(self) -> list[Done]:
        """Return the parts that are whole, from the first on."""
        parts: list[Done] = []
        while (path := self._path(len(parts), "json")).exists():
            kept = read_json(path)
            after = Cursor(kept["after"]["file"], Place(**kept["after"]["place"]))
            parts.append(Done(len(parts), kept["rows"], kept["counts"], after))
        return parts

    def learned(self, number: int) -> pl.DataFrame:
        """Return what was learned from a part."""
        return pl.read_parquet(self._path(number, "learned"))

    def write(self, scored: pl.DataFrame, learned: pl.DataFrame, done: Done) -> None:
        """Keep a part with what was learned and counted."""
        with whole_file(self._path(done.number, "scored")) as part:
            write_table(scored, part, self.suffix)
        with whole_file(self._path(done.number, "learned")) as part:
            learned.write_parquet(part)
        write_json(self._path(done.number, "json"), asdict(done))

    def join(self, parts: int, out: Path) -> None:
        """Write the parts one behind the other as `out`, the whole file or none."""
        paths = [self._path(number, "scored") for number in range(parts)]
        with whole_file(out) as whole:
            if self.suffix == ".parquet":
                pl.scan_parquet(paths, glob=False).sink_parquet(whole, row_group_size=_ROW_GROUP)
                return
            with whole.open("wb") as file:
                for path in paths:
                    with path.open("rb") as part:
                        shutil.copyfileobj(part, file, _AT_ONCE)

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number:06}.{kind}"


@contextmanager
def locked(folder: Path, out: Path) -> Iterator[None]:
    """Make `folder` and hold it against other processes; raises DataError where one holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    with lock.open("w") as file, named_where_there_is_no_room(out):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            raise DataError(f"another process is writing {out}; wait for it, or choose another --out") from held
        if not lock.exists() or not os.path.samestat(lock.stat(), os.fstat(file.fileno())):
            raise DataError(f"another process has just written {out}; choose another --out, or score again")
        yield
