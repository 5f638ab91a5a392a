"""The SQLite file in which reviews are kept: how it is laid out, opened and checked."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from shopglot.core.errors import DataError
from shopglot.serve.http.reviews.suspects import ReviewFile

_OURS: Final = 0x53475256
"""The mark by which a file of ours is known among those of other programs: "SGRV"."""
_LAYOUT: Final = 1
_BUSY_SECONDS: Final = 5.0
"""How long another process that writes is waited for."""

_TABLES: Final = """
CREATE TABLE decision (
    number INTEGER PRIMARY KEY,
    pair TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    choice TEXT,
    note TEXT NOT NULL,
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    undone_by TEXT,
    UNIQUE (pair, version)
);
CREATE TABLE lease (pair TEXT PRIMARY KEY, person TEXT NOT NULL, until REAL NOT NULL);
CREATE TABLE opened (number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, at TEXT NOT NULL);
"""
# The review file stands beside the decisions for as long as it is open, and a pair's last decision is its state.
_OF_THE_REVIEW_FILE: Final = """
CREATE TEMP TABLE suspect (
    place INTEGER PRIMARY KEY, pair TEXT NOT NULL UNIQUE, choice TEXT, note TEXT, person TEXT, at TEXT
);
CREATE TEMP VIEW state AS
SELECT
    suspect.place AS place, suspect.pair AS pair, ifnull(last.number, 0) AS number, ifnull(last.version, 0) AS version,
    CASE WHEN last.choice IS NULL THEN suspect.choice ELSE last.choice END AS choice,
    CASE WHEN last.choice IS NULL THEN suspect.note ELSE last.note END AS note,
    CASE WHEN last.choice IS NULL THEN suspect.person ELSE last.person END AS person,
    CASE WHEN last.choice IS NULL THEN suspect.at ELSE last.at END AS at
FROM suspect LEFT JOIN decision AS last ON last.pair = suspect.pair
    AND last.version = (SELECT max(version) FROM decision WHERE decision.pair = suspect.pair);
"""

_DECIDED: Final = """
SELECT count(*) FROM decision AS each
WHERE choice IS NOT NULL AND version = (SELECT max(version) FROM decision WHERE pair = each.pair)
"""
_APART: Final = "AND pair NOT IN (SELECT pair FROM suspect)"


def kept_file(review: Path) -> Path:
    """Return where the decisions about a review file are kept.

    >>> kept_file(Path("runs/review.csv")).name
    'review.sqlite3'
    """
    return review.with_suffix(".sqlite3")


def opened(path: Path, review: ReviewFile, now: str) -> tuple[sqlite3.Connection, str | None]:
    """Return a connection to the decisions, and in a sentence what has become of them when the review file changed.

    Raises DataError for a file that cannot be made or written, is damaged, or is not of this version of shopglot.
    """
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as reason:
        raise _unusable(path, reason) from reason
    try:
        _set_up(connection, path)
        _stand_beside(connection, review)
        return connection, _what_changed(connection, review, path, now)
    except sqlite3.Error as reason:
        connection.close()
        raise _unusable(path, reason) from reason
    except DataError:
        connection.close()
        raise


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file before anything of it is changed, and lay out a new one."""
    if _tables(connection):
        _check(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a decision that was answered outlives a power cut too
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):  # still, for another process may have begun at the same time
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_OURS}")
        connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> int:
    return int(_one(connection, "SELECT count(*) FROM sqlite_master"))


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if _one(connection, "PRAGMA application_id") != _OURS:
        raise DataError(f"{path} belongs to another program; move it away, or give the review file another name")
    if _one(connection, "PRAGMA user_version") > _LAYOUT:
        raise DataError(f"{path} was written by a newer shopglot; update this one, or move the file away")
    if (damage := _one(connection, "PRAGMA quick_check(1)")) != "ok":
        raise sqlite3.DatabaseError(" ".join(str(damage).split()))


def _one(connection: sqlite3.Connection, question: str) -> Any:
    return connection.execute(question).fetchone()[0]


def _stand_beside(connection: sqlite3.Connection, review: ReviewFile) -> None:
    connection.executescript(_OF_THE_REVIEW_FILE)
    connection.executemany(
        "INSERT INTO suspect VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                place,
                each.key,
                each.given.action,
                each.given.note or "",
                each.given.decided_by or review.path.name,
                each.given.decided_at or "",
            )
            for place, each in enumerate(review.suspects)
        ],
    )


def _what_changed(connection: sqlite3.Connection, review: ReviewFile, path: Path, now: str) -> str | None:
    """Note which review file was opened, and return what to say of it where decisions were made on another one."""
    last = connection.execute("SELECT sha256 FROM opened ORDER BY number DESC LIMIT 1").fetchone()
    changed = last is not None and last[0] != review.sha256
    if last is None or changed:
        connection.execute("INSERT INTO opened (sha256, at) VALUES (?, ?)", (review.sha256, now))
    decided, apart = (_one(connection, _DECIDED + more) for more in ("", _APART))
    if apart:
        return (
            f"{review.path.name} does not hold {apart:,} of the {decided:,} decided pairs as they were; those "
            f"decisions are left out, and stay in {path.name} in case the pairs come back"
        )
    return f"{review.path.name} has changed since; all {decided:,} decisions still hold" if changed else None


def _unusable(path: Path, reason: sqlite3.Error) -> DataError:
    remedy = "put a copy back, or move the file away to begin anew"
    if isinstance(reason, sqlite3.OperationalError):
        remedy = "reviews are kept beside the review file: put that in a folder that can be written"
    return DataError(f"{path} cannot be used ({reason}); {remedy}")
