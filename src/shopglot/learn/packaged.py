"""Published weights that install as packages, found without running the packages' own code."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import sha256


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """One file of weights, which lies whole in a package or in pieces in several.

    `release` is what pip calls the version that is known, `install` how to get it. `pieces` are modules, each with the
    path in its folder, in the order of the bytes. `sha256` is that of the whole file.
    """

    release: str
    install: str
    license: str
    pieces: tuple[tuple[str, str], ...]
    sha256: str

    @contextmanager
    def file(self, model: str, work: Path) -> Iterator[Path]:
        """Give the whole file, joined in the folder `work` for as long as the block lasts if it is in pieces.

        Raises RecipeError, which names the `model` that needs it, when a piece is absent, and BundleError when the
        checksum is not that of the release.
        """
        pieces = self._found(model)
        path = pieces[0] if len(pieces) == 1 else _joined(pieces, work)
        if (found := sha256(path)) != self.sha256:
            raise BundleError(f"{pieces[0]} has the checksum {found[:12]}…, not that of {self.release}: {self.install}")
        yield path
        if len(pieces) > 1:
            path.unlink()

    def _found(self, model: str) -> list[Path]:
        specs = [(find_spec(module), path) for module, path in self.pieces]
        paths = [Path(spec.origin).parent / path for spec, path in specs if spec and spec.origin]
        if len(paths) < len(specs) or not all(path.is_file() for path in paths):
            raise RecipeError(f"{model} needs {self.release}: {self.install}")
        return paths


def _joined(paths: Sequence[Path], work: Path) -> Path:
    joined = work / paths[0].stem  # model.gguf.part00 is a piece of model.gguf
    with joined.open("wb") as whole:
        for path in paths:
            with path.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    return joined
