import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from shopglot.core.errors import DataError
from shopglot.enrich.translation_cache import TranslationCache
from tests.enrich.doubles import french

ROOT = Path(__file__).parents[2]


def made(*texts: str, outcome: str = "new") -> pl.DataFrame:
    frame = french(*texts)
    return frame.with_columns(translation=pl.col("text").str.to_uppercase(), outcome=pl.lit(outcome))


def database(folder: Path) -> Path:
    (path,) = folder.glob("database/*.sqlite")
    return path


def filled(folder: Path) -> TranslationCache:
    cache = TranslationCache(folder)
    cache.keep(made(*(f"texte {number}" for number in range(3_000))), "model")
    return cache


def test_what_is_kept_is_found_by_text_languages_and_translator(tmp_path: Path) -> None:
    cache = TranslationCache(tmp_path)
    cache.keep(made("robe", "it's; DROP \x00 --", "緑茶"), "model@1")
    asked = french("robe", "it's; DROP \x00 --", "緑茶", "lampe")
    assert cache.known(asked, "model@1").sort("text").equals(made("robe", "it's; DROP \x00 --", "緑茶").sort("text"))
    assert cache.known(asked, "model@2").is_empty()
    assert cache.known(asked.with_columns(source=pl.lit("it")), "model@1").is_empty()
    assert cache.known(asked.with_columns(target=pl.lit("de")), "model@1").is_empty()
    assert cache.known(asked.clear(), "model@1").is_empty()


def test_a_later_translation_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    cache = TranslationCache(tmp_path)
    cache.keep(made("robe", outcome="failed-empty"), "model")
    cache.keep(made("robe"), "model")
    assert cache.known(french("robe"), "model")["outcome"].to_list() == ["new"]


@pytest.mark.parametrize("left", [0, 50, 8192, 20_000, -100])
def test_a_file_cut_short_is_moved_aside_and_begun_anew(
    tmp_path: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    cache = filled(tmp_path)
    beside = tmp_path / "notes.txt"
    beside.write_text("mine")
    content = database(tmp_path).read_bytes()
    database(tmp_path).write_bytes(content[:left])
    assert cache.known(french("texte 1"), "model").is_empty()
    cache.keep(made("robe"), "model")
    assert cache.known(french("robe", "texte 1"), "model").height == 1
    assert len(caplog.messages) == 1
    assert "damaged" in caplog.text
    assert "begins anew" in caplog.text
    assert beside.read_text() == "mine"
    (aside,) = tmp_path.glob("damaged-*/database/*.sqlite")
    assert aside.read_bytes() == content[:left]


def test_a_file_that_is_no_database_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = filled(tmp_path)
    database(tmp_path).write_bytes(b"x" * 8192)
    assert cache.known(french("texte 1"), "model").is_empty()
    assert "not a database" in caplog.text


def test_a_page_that_was_overwritten_is_noticed_while_it_is_read(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    content = bytearray(database(tmp_path).read_bytes())
    content[2 * 4096 :] = b"\xff" * (len(content) - 2 * 4096)
    database(tmp_path).write_bytes(content)
    assert cache.known(french(*(f"texte {number}" for number in range(3_000))), "model").is_empty()
    assert [*tmp_path.glob("damaged-*")]


def test_a_cache_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    database(tmp_path).unlink()
    (tmp_path / "database" / "translations.sqlite").mkdir()
    with pytest.raises(DataError, match=r"the cache .*database cannot be used .*; name another folder"):
        cache.known(french("robe"), "model")


SHARED = """
import sys
from pathlib import Path
import polars as pl
from shopglot.enrich.translation_cache import TranslationCache
from tests.enrich.test_translation_cache import made

cache, own = TranslationCache(Path(sys.argv[1])), sys.argv[2]
for batch in range(25):
    texts = made(*(f"{own} {batch} {number}" for number in range(20)), f"both {batch}")
    cache.keep(texts, "model")
    assert cache.known(texts, "model").height == 21
"""


def test_several_processes_share_a_cache_from_its_first_moment(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-c", SHARED, str(tmp_path / "cache")]
    running = [
        subprocess.Popen([*command, name], env=environment, stderr=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    for process in running:
        _, problems = process.communicate(timeout=120)
        assert process.returncode == 0, problems
    wanted = [f"{own} {batch} {number}" for own in "abc" for batch in range(25) for number in range(20)]
    wanted += [f"both {batch}" for batch in range(25)]
    assert TranslationCache(tmp_path / "cache").known(french(*wanted), "model").height == len(wanted)
    assert not [*(tmp_path / "cache").glob("damaged-*")]
