import gzip
from pathlib import Path

import pytest

from shopglot.core.errors import DataError
from shopglot.curate.settings import CurateSettings
from shopglot.curate.taxonomy import read_taxonomy
from tests.curate.files import text_file


def read(*files: Path) -> tuple[str, ...]:
    return read_taxonomy(files, CurateSettings())


def test_paths_of_all_files_are_read_once_in_order(tmp_path: Path) -> None:
    one = text_file(tmp_path / "a.txt", "# version 3", "", "12\tHome > Garden > Pots, large", "Food,Tea")
    other = tmp_path / "b.txt.gz"
    other.write_bytes(gzip.compress(b"food,tea\r\nart\r\n"))
    assert read(one, other) == ("art", "food,tea", "home,garden,pots, large")


@pytest.mark.parametrize("line", [",".join("abcdefghijklmnopq"), "\x01\x02", ", ,", "th\xe9".encode("latin-1")])
def test_a_line_that_is_no_path_is_named_with_its_file(tmp_path: Path, line: str | bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"food\n\n" + (line.encode() if isinstance(line, str) else line) + b"\n")
    with pytest.raises(DataError, match=r"a\.txt line 3 is no category path"):
        read(path)


@pytest.mark.parametrize("content", ["", " \n", "# nothing\n"])
def test_a_file_without_a_path_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=r"a\.txt (is empty|holds no category path)"):
        read(path)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no taxonomy file .*a\.txt"):
        read(tmp_path / "a.txt")
