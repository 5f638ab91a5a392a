"""What a run leaves beside its results, so that it can be told from others and repeated."""

import platform
from importlib import metadata
from pathlib import Path
from typing import Final

from shopglot.core.errors import DataError, RecipeError
from shopglot.core.files import read_json, require_own_folder, whole_file, write_json

PACKAGES: Final = (
    "shopglot",
    "numpy",
    "polars",
    "torch",
    "transformers",
    "sentence-transformers",
    "scikit-learn",
    "optuna",
)


def begin_run(recipe: str, out: Path) -> None:
    """Leave the resolved recipe and the versions of the libraries in `out`; refuse a folder of anything else."""
    kept = out / "recipe.yaml"
    require_own_folder(out, kept.name)
    if kept.exists() and kept.read_text(encoding="utf-8", errors="replace") != recipe:
        raise RecipeError(f"{out} holds a run of another recipe; choose another --out, or remove that folder")
    with whole_file(kept) as part:
        part.write_text(recipe, encoding="utf-8")
    versions = {name: _version(name) for name in PACKAGES}
    write_json(
        out / "environment.json", {"python": platform.python_version(), "machine": platform.machine(), **versions}
    )


def keep_checksums(files: dict[str, str], kept: Path) -> None:
    """Keep the files' checksums in `kept`; refuse to go on with models that were fitted on other files."""
    try:
        changed = kept.exists() and read_json(kept) != files
    except ValueError as reason:
        raise DataError(f"{kept} is damaged; choose another --out, or remove {kept.parent}") from reason
    if changed:
        raise DataError(f"the files have changed since {kept.parent} was begun; choose another --out, or remove it")
    write_json(kept, files)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
