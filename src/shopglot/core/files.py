"""Files appear whole or not at all."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError

from shopglot.core.errors import BundleError, RecipeError, ShopglotError

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""How the system says that no more can be written: the disk is full, or as much as this user or file may have."""


@contextmanager
def whole_file(path: Path, mark: str = "", *, replace: bool = True) -> Iterator[Path]:
    """Give a `.part` path to write; it takes the place of `path` when the block ends without an error.

    `mark` tells the part from that of another process which writes the same file. Without `replace`, a file that is
    there by then stays as it is, and FileExistsError is raised.
    """
    part = path.with_name(f"{path.name}{mark}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with named_where_there_is_no_room(path):
            yield part
            if replace:
                part.replace(path)
            else:
                path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give an empty `.part` folder to fill; it takes the place of `path` when the block ends without an error."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with named_where_there_is_no_room(path):
            yield part
            shutil.rmtree(path, ignore_errors=True)
            part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def named_where_there_is_no_room(path: Path) -> Iterator[None]:
    """Turn what any library says of a full disk into an OSError that names `path`."""
    try:
        yield
    except ShopglotError:
        raise
    except Exception as reason:  # safetensors, polars, tokenizers and torch each have one of their own
        said = f"{reason} {reason.__context__}"
        for number in NO_ROOM:
            if os.strerror(number) in said:
                raise OSError(number, os.strerror(number), str(path)) from reason
        if "iostream error" in said:  # torch does not hand on what the system said; that is by far the likeliest
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from reason
        raise


def require_own_folder(folder: Path, mark: str) -> None:
    """Refuse a file, and a folder in use without `mark`, the file that is written first into a folder of ours."""
    if folder.exists() and not folder.is_dir():
        raise RecipeError(f"{folder} is a file; name a folder with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).exists():
        raise RecipeError(f"{folder} holds other files, for it has no {mark}; name a new or empty folder with --out")


def require_folder_of(folder: Path, names: Iterable[str]) -> None:
    """Refuse a file, and a folder that holds anything but files of these names, for all of it is to be replaced."""
    if folder.exists() and not folder.is_dir():
        raise RecipeError(f"{folder} is a file; name a folder with --out")
    if folder.is_dir() and (others := sorted({path.name for path in folder.iterdir()}.difference(names))):
        raise RecipeError(f"{folder} holds other files, such as {others[0]}; name a new or empty folder with --out")


@contextmanager
def undamaged(path: Path, remedy: str) -> Iterator[None]:
    """Turn whatever the libraries say of a cut or changed file at or under `path` into one BundleError."""
    try:
        yield
    except (ArithmeticError, LookupError, OSError, RuntimeError, SafetensorError, TypeError, ValueError) as reason:
        said = " ".join(str(reason).split())[:200]
        raise BundleError(f"{path} is damaged ({type(reason).__name__}: {said}); {remedy}") from reason


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN is refused, for other readers cannot read it."""
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return the value in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file, and of the files in each folder, by its path below the folder common to all."""
    return {name: sha256(file) for name, file in below_common(paths).items()}


def below_common(paths: Iterable[Path]) -> dict[str, Path]:
    """Return each file, and the files in each folder, by its path below the folder common to all."""
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path]) if file.is_file()]
    common = os.path.commonpath([file.absolute().parent for file in files])
    return {file.absolute().relative_to(common).as_posix(): file for file in files}


def cache_folder() -> Path:
    """Return the user's cache of this project; `SHOPGLOT_CACHE` and `XDG_CACHE_HOME` move it."""
    if own := os.environ.get("SHOPGLOT_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopglot"
