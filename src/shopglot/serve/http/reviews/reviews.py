"""What people decide about suspected labels, kept in SQLite beside the review file."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from shopglot.serve.http.errors import ServeError
from shopglot.serve.http.reviews.state import Choice, Conflict, Progress, Reviewed, State
from shopglot.serve.http.reviews.suspects import Outcome, ReviewFile, Suspect
from shopglot.serve.http.reviews.tables import kept_file, opened

LEASE_SECONDS: Final = 180.0
"""How long a pair that was dealt to a person is dealt to nobody else."""


class Reviews:
    """The decisions about the suspects of one review file.

    Nothing is overwritten: a decision is a row with the next version of its pair, which the file allows once. Several
    threads and processes may work on the same file. Every method raises ServeError 503 where the file cannot be
    written or read, and then nothing of what was asked was done.
    """

    def __init__(self, review: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the decisions beside the review file; raises DataError where either file is none."""
        self.file, self.path = ReviewFile.read(review), kept_file(review)
        self._suspects = {each.key: each for each in self.file.suspects}
        self._clock, self._lock = clock, threading.Lock()
        self._connection, self.notice = opened(self.path, self.file, self._now())
        self._opened = _mark(self.path)

    def close(self) -> None:
        """End with the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(self, *_: object) -> None:
        """End with the file."""
        self.close()

    def find(self, key: str) -> Reviewed:
        """Return a pair; raises ServeError 404 where the review file has none such."""
        with self._transaction("read") as connection:
            return self._found(connection, key)

    def deal(self, person: str, *, count: int = 1, held: Sequence[str] = ()) -> list[Reviewed]:
        """Return the next pairs that nobody has decided and nobody else was dealt, and keep them for the person.

        `held` are those that the person has before the eyes: they are kept for longer and not dealt again.
        """
        with self._transaction("dealt") as connection:
            now = self._clock()
            connection.execute("DELETE FROM lease WHERE until <= ?", (now,))
            taken = ", ".join("?" * len(held))
            keys = [
                key
                for (key,) in connection.execute(
                    f"SELECT pair FROM state WHERE choice IS NULL AND pair NOT IN ({taken}) "
                    "AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.pair = state.pair AND lease.person != ?) "
                    "ORDER BY place LIMIT ?",
                    (*held, person, count),
                )
            ]
            for key in (*held, *keys):
                _lease(connection, key, person, now + LEASE_SECONDS)
            return [self._found(connection, key) for key in keys]

    def decide(self, key: str, choice: Choice, person: str, *, version: int, note: str = "") -> State:
        """Keep a decision that was made on `version` of the pair; raises Conflict where another one stands.

        The same decision sent again, as by someone who saw no answer, is no conflict.
        """
        with self._transaction("saved") as connection:
            reviewed = self._found(connection, key)
            stands = reviewed.state
            if stands.version == version + 1 and (stands.choice, stands.note, stands.person) == (choice, note, person):
                return stands
            if stands.version != version:
                raise Conflict(reviewed)
            made = State(version + 1, choice, note, person, self._now())
            _insert(connection, self._suspects[key], made)
            return made

    def undo(self, person: str) -> Reviewed | None:
        """Take back the latest decision of a person that stands, and return the pair; None where there is none.

        What stood before stands again. The pair is kept for the person.
        """
        with self._transaction("undone") as connection:
            latest = self._latest(connection, person)
            if latest is None:
                return None
            key, version = latest
            earlier = connection.execute(
                "SELECT choice, note, person, at FROM decision WHERE pair = ? AND version = ?", (key, version - 1)
            ).fetchone()
            choice, note, by, at = earlier or (None, "", "", "")
            _insert(connection, self._suspects[key], State(version + 1, choice, note, by, at), undone_by=person)
            _lease(connection, key, person, self._clock() + LEASE_SECONDS)
            return self._found(connection, key)

    def last(self, person: str) -> Reviewed | None:
        """Return the pair whose decision `undo` would take back."""
        with self._transaction("read") as connection:
            latest = self._latest(connection, person)
            return None if latest is None else self._found(connection, latest[0])

    def decided(self, choice: str | None = None, person: str | None = None) -> list[Reviewed]:
        """Return the pairs that have a choice, the latest first: all, or those with this choice or of this person."""
        with self._transaction("read") as connection:
            rows = connection.execute(
                "SELECT pair, version, choice, note, person, at FROM state WHERE choice IS NOT NULL "
                "AND (?1 IS NULL OR choice = ?1) AND (?2 IS NULL OR person = ?2) ORDER BY number DESC, place",
                (choice, person),
            ).fetchall()
        return [Reviewed(self._suspects[key], State(*state)) for key, *state in rows]

    def progress(self) -> Progress:
        """Return how far the review is."""
        count = "SELECT {0}, count(*) FROM state WHERE choice IS NOT NULL GROUP BY {0} ORDER BY count(*) DESC, {0}"
        with self._transaction("read") as connection:
            choices, persons = (
                dict(connection.execute(count.format(name)).fetchall()) for name in ("choice", "person")
            )
        return Progress(len(self._suspects), choices, persons)

    def elsewhere(self, person: str) -> list[str]:
        """Return the persons for whom undecided pairs are kept, without this one."""
        with self._transaction("read") as connection:
            rows = connection.execute(
                "SELECT DISTINCT lease.person FROM lease JOIN state USING (pair) "
                "WHERE choice IS NULL AND lease.person != ? AND until > ? ORDER BY 1",
                (person, self._clock()),
            )
            return [name for (name,) in rows]

    def export(self) -> bytes:
        """Return the review file with all decisions, as CSV, which `run` takes as corrections."""
        outcomes = {
            each.suspect.key: Outcome(
                None if each.state.choice == "skip" else each.state.choice,
                each.state.note or None,
                each.state.person,
                each.state.at,
            )
            for each in self.decided()
            if each.state.version
        }
        return self.file.written(outcomes)

    @contextmanager
    def _transaction(self, done: str) -> Iterator[sqlite3.Connection]:
        """Give the connection for what counts whole or not at all."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with _undone_on_error(self._connection):
                    if _mark(self.path) != self._opened:  # what is written now would be lost with the old file
                        raise ServeError(
                            503,
                            "Backend",
                            f"{self.path.name} was moved or replaced; put it back and start the server again",
                        )
                    yield self._connection
                    self._connection.execute("COMMIT")
            except sqlite3.Error as reason:
                raise ServeError(
                    503, "Backend", f"the reviews could not be {done} ({reason}); nothing was changed"
                ) from reason

    def _found(self, connection: sqlite3.Connection, key: str) -> Reviewed:
        row = connection.execute(
            "SELECT version, choice, note, person, at FROM state WHERE pair = ?", (key,)
        ).fetchone()
        if row is None:
            raise ServeError(404, "Validation", "the review file has no such pair; go on with the next one")
        return Reviewed(self._suspects[key], State(*row))

    @staticmethod
    def _latest(connection: sqlite3.Connection, person: str) -> tuple[str, int] | None:
        """Return the pair and version of the latest decision of a person that stands, what is undone left out."""
        row: tuple[str, int] | None = connection.execute(
            "SELECT pair, version FROM state WHERE number IN "
            "(SELECT number FROM decision WHERE person = ? AND undone_by IS NULL) ORDER BY number DESC LIMIT 1",
            (person,),
        ).fetchone()
        return row

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")


def _mark(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at a path from another one, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _undone_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # some errors have ended it already
            connection.execute("ROLLBACK")
        raise


def _lease(connection: sqlite3.Connection, key: str, person: str, until: float) -> None:
    """Keep a pair for a person, unless it is kept for another one."""
    connection.execute(
        "INSERT INTO lease VALUES (?, ?, ?) ON CONFLICT (pair) DO UPDATE SET until = excluded.until "
        "WHERE person = excluded.person",
        (key, person, until),
    )


def _insert(connection: sqlite3.Connection, suspect: Suspect, state: State, undone_by: str | None = None) -> None:
    connection.execute(
        "INSERT INTO decision (pair, id, version, choice, note, person, at, undone_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (suspect.key, suspect.id, state.version, state.choice, state.note, state.person, state.at, undone_by),
    )
    connection.execute("DELETE FROM lease WHERE pair = ?", (suspect.key,))
