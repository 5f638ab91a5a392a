"""Translations kept on disk, so that a text is translated once."""

import logging
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from shopglot.core.errors import DataError

log = logging.getLogger(__name__)
T = TypeVar("T")

KEY: Final = ("text", "source", "target")
_WAIT: Final = 60.0
"""Seconds to wait for another process that writes."""
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CUT: Final = "it is cut short"
_PAGE: Final = 4096
_TABLE: Final = """
    CREATE TABLE translations (
        translator TEXT, source TEXT, target TEXT, text TEXT, translation TEXT, outcome TEXT,
        PRIMARY KEY (translator, source, target, text)
    ) WITHOUT ROWID
"""


class TranslationCache:
    """What each translator made of each text, in an SQLite file that several processes may share.

    A text without a translation is kept too, with the reason, for the same model would fail on it again; a model of
    another name or revision tries anew. Nothing stays open between calls, and each call of `keep` is kept whole or
    not at all. A damaged file is moved aside with a warning and begun anew.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder in which the cache lies or will lie, beside whatever else is there."""
        self._home = folder / "database"  # a folder of its own, for SQLite's files are moved aside together or not

    def known(self, texts: pl.DataFrame, translator: str) -> pl.DataFrame:
        """Return the rows of `texts` (columns text, source, target) that are kept, with `translation` and `outcome`."""
        wanted = texts.select(KEY).rows()

        def look_up(database: sqlite3.Connection) -> list[tuple[str | None, ...]]:
            database.execute("CREATE TEMP TABLE wanted (text TEXT, source TEXT, target TEXT)")
            database.executemany("INSERT INTO wanted VALUES (?, ?, ?)", wanted)
            return database.execute(
                "SELECT text, source, target, translation, outcome FROM wanted CROSS JOIN translations "
                "USING (text, source, target) WHERE translator = ?",
                (translator,),
            ).fetchall()

        columns = dict.fromkeys((*KEY, "translation", "outcome"), pl.String)
        return pl.DataFrame(self._do(look_up) if wanted else [], schema=columns, orient="row")

    def keep(self, translated: pl.DataFrame, translator: str) -> None:
        """Keep the rows (columns text, source, target, translation, outcome) in one transaction."""
        rows = translated.select(pl.lit(translator), "source", "target", "text", "translation", "outcome").rows()
        self._do(lambda database: database.executemany("REPLACE INTO translations VALUES (?, ?, ?, ?, ?, ?)", rows))

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._begin()
        seen = self._identity()
        try:
            with self._opened() as database:
                return work(database)
        except sqlite3.DatabaseError as reason:
            if self._identity() == seen:  # else another process has moved the database away meanwhile
                if not _is_damage(reason):
                    raise DataError(
                        f"the cache {self._home} cannot be used ({reason}); name another folder"
                    ) from reason
                self._set_aside(reason)
        self._begin()
        with self._opened() as database:
            return work(database)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        path = self._home / "translations.sqlite"
        if path.is_file() and (path.stat().st_size % _PAGE or not path.stat().st_size):
            raise sqlite3.DatabaseError(_CUT)  # SQLite would read zeros where the end of the last page was
        database = sqlite3.connect(path, timeout=_WAIT)
        try:
            with database:
                yield database
        finally:
            database.close()

    def _begin(self) -> None:
        """Put an empty database in place, unless there is one or another process was faster."""
        if self._home.is_dir():
            return
        self._home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._home.parent, ignore_cleanup_errors=True) as work:
            made = Path(work) / "database"
            made.mkdir()
            database = sqlite3.connect(made / "translations.sqlite")
            database.execute(f"PRAGMA page_size = {_PAGE}")
            database.execute("PRAGMA journal_mode = WAL")  # readers and one writer at a time, all through a kill
            database.execute(_TABLE)
            database.close()
            with suppress(OSError):  # a folder that is not empty is never replaced
                made.rename(self._home)

    def _set_aside(self, reason: Exception) -> None:
        aside = Path(tempfile.mkdtemp(prefix="damaged-", dir=self._home.parent)) / "database"
        self._home.rename(aside)
        log.warning("the cache of translations was damaged (%s) and begins anew; it now lies in %s", reason, aside)

    def _identity(self) -> int | None:
        return self._home.stat().st_ino if self._home.is_dir() else None


def _is_damage(reason: sqlite3.DatabaseError) -> bool:
    return str(reason) == _CUT or getattr(reason, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
