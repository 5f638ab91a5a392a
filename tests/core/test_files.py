from pathlib import Path

import pytest

from shopglot.core.files import checksums, sha256, whole_file, whole_folder, write_json


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        _write_half(path)
    assert path.read_text() == "old"
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
