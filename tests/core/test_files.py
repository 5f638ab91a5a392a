import resource
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import (
    cache_folder,
    checksums,
    require_own_folder,
    sha256,
    undamaged,
    whole_file,
    whole_folder,
    write_json,
)


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        _write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_may_not_be_replaced_stays_and_no_part_is_left(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    with whole_file(path, ".1", replace=False) as part:
        part.write_text("first")
    with pytest.raises(FileExistsError), whole_file(path, ".2", replace=False) as part:
        part.write_text("second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with whole_folder(folder) as part:
        (part / "a").write_text("old")
    with pytest.raises(RuntimeError):
        _fill_half(folder)
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [folder]


def test_json_never_holds_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"f1": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_of_somebody_else_is_refused_and_a_new_empty_or_own_one_is_not(tmp_path: Path) -> None:
    require_own_folder(tmp_path / "new", "mark")
    require_own_folder(tmp_path, "mark")
    (tmp_path / "precious").write_text("x")
    with pytest.raises(RecipeError, match="holds other files, for it has no mark; name a new or empty folder"):
        require_own_folder(tmp_path, "mark")
    with pytest.raises(RecipeError, match="is a file; name a folder"):
        require_own_folder(tmp_path / "precious", "mark")
    (tmp_path / "mark").write_text("x")
    require_own_folder(tmp_path, "mark")


def test_what_is_damaged_is_named_with_the_reason_and_the_remedy_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"x is damaged \(KeyError: 'a b'\); copy it again"):
        _raise(KeyError("a b"), tmp_path / "x")
    with pytest.raises(RecipeError, match="as it was"):
        _raise(RecipeError("as it was"), tmp_path / "x")


def _raise(error: Exception, path: Path) -> None:
    with undamaged(path, "copy it again"):
        raise error


def _write_half(path: Path) -> None:
    with whole_file(path) as part:
        part.write_text("half")
        raise RuntimeError


def _fill_half(folder: Path) -> None:
    with whole_folder(folder) as part:
        (part / "b").write_text("half")
        raise RuntimeError


def test_files_of_one_name_have_checksums_of_their_own_and_those_in_a_folder_count(tmp_path: Path) -> None:
    files = [tmp_path / "p1" / "train.txt", tmp_path / "p2" / "train.txt", tmp_path / "wands" / "label.csv"]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.parent.name)
    found = checksums([*files[:2], tmp_path / "wands"])
    assert found == {f"{file.parent.name}/{file.name}": sha256(file) for file in files}
    assert checksums(files[:1]) == {"train.txt": sha256(files[0])}


@pytest.mark.parametrize("library", ["python", "safetensors", "polars", "torch"])
def test_a_disk_without_room_is_named_whichever_library_writes(tmp_path: Path, library: str) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"(File too large|No space left on device).*kept") as refused:
            _write_much(tmp_path / "kept", library)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.filename == str(tmp_path / "kept")
    assert not list(tmp_path.iterdir())


def test_other_errors_of_a_write_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No space left on device"), whole_file(tmp_path / "kept"):
        raise RecipeError("No space left on device")


def _write_much(path: Path, library: str) -> None:
    numbers = np.random.default_rng(0).random(5_000)
    with whole_file(path) as part:
        match library:
            case "python":
                part.write_bytes(numbers.tobytes())
            case "safetensors":
                save_file({"numbers": numbers}, part)
            case "polars":
                pl.DataFrame({"numbers": numbers}).write_parquet(part)
            case "torch":
                torch = pytest.importorskip("torch")
                torch.save(torch.from_numpy(numbers), part)


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPGLOT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SHOPGLOT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "shopglot"
