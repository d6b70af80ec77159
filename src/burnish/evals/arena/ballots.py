"""arena.sqlite: every vote is one transaction that is on the disk before anybody is told so."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from burnish.core.errors import BurnishError, Stopped

Choice: TypeAlias = Literal["specialist", "opponent", "tie", "skip"]
VERSION = 1
_TABLE = """
CREATE TABLE IF NOT EXISTS votes (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  voter TEXT NOT NULL,
  item TEXT NOT NULL,
  opponent TEXT NOT NULL,
  answers TEXT NOT NULL,
  choice TEXT NOT NULL CHECK (choice IN ('specialist', 'opponent', 'tie', 'skip')),
  specialist_side TEXT NOT NULL CHECK (specialist_side IN ('left', 'right')),
  time TEXT NOT NULL,
  UNIQUE (voter, item, opponent, answers)
)"""
_COLUMNS = "number, voter, item, opponent, answers, choice, specialist_side, time"


@dataclass(frozen=True)
class Vote:
    """One person's choice between two answers, of which `answers` is the hash, with their prompt."""

    number: int
    voter: str
    item: str
    opponent: str
    answers: str
    choice: Choice
    specialist_side: Literal["left", "right"]
    time: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Ballots:
    """The votes of a run. Used by many threads, one at a time; by several processes, as SQLite allows."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        with _readable_errors(path):
            self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = FULL")
            found = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            if found not in (0, VERSION):
                raise sqlite3.DatabaseError(f"version {found}, where this Burnish knows {VERSION}")
            self._connection.execute(_TABLE)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def __enter__(self) -> Ballots:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def cast(
        self, voter: str, item: str, opponent: str, answers: str, choice: Choice, side: Literal["left", "right"]
    ) -> bool:
        """Stores a vote. False: this voter has voted on these answers before, and that vote stands."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._transaction() as connection:
            done = connection.execute(
                "INSERT OR IGNORE INTO votes (voter, item, opponent, answers, choice, specialist_side, time) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (voter, item, opponent, answers, choice, side, now),
            )
            return done.rowcount == 1

    def undo(self, voter: str) -> Vote | None:
        """Takes back the voter's last vote and returns it; None when there is none."""
        with self._transaction() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM votes WHERE voter = ? ORDER BY number DESC LIMIT 1", (voter,)
            ).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM votes WHERE number = ?", (row[0],))
            return Vote(*row)

    def votes(self) -> list[Vote]:
        """All votes in the order in which they were cast."""
        with self._lock, _readable_errors(self._path):
            return [Vote(*row) for row in self._connection.execute(f"SELECT {_COLUMNS} FROM votes ORDER BY number")]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _readable_errors(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextlib.contextmanager
def _readable_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if "disk is full" in str(error):
            raise Stopped(
                "The disk is full.", where=str(path), next_move="free some space; every vote that was confirmed is kept"
            ) from error
        raise BurnishError(
            "The votes cannot be read or written.",
            where=str(path),
            seen=str(error),
            next_move="check the file and its permissions; with a copy of it nothing is lost",
        ) from error
