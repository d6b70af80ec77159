"""desk.sqlite: files, jobs, events and checkpoints. What was answered to a client is on the disk before it is sent."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError, Stopped

VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL, purpose TEXT NOT NULL,
  bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER
);
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
  model TEXT NOT NULL, training_file TEXT NOT NULL, validation_file TEXT, method TEXT NOT NULL, suffix TEXT NOT NULL,
  seed INTEGER NOT NULL, metadata TEXT, status TEXT NOT NULL, fine_tuned_model TEXT, finished_at INTEGER,
  estimated_finish INTEGER, trained_tokens INTEGER, result_file TEXT, error TEXT, verdict TEXT,
  pid INTEGER, born TEXT, starts INTEGER NOT NULL DEFAULT 0,
  lines INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 0, steps INTEGER
);
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, created_at INTEGER NOT NULL,
  level TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL, data TEXT
);
CREATE INDEX IF NOT EXISTS events_of_job ON events (job, number);
CREATE TABLE IF NOT EXISTS checkpoints (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, created_at INTEGER NOT NULL,
  step INTEGER NOT NULL, name TEXT NOT NULL, metrics TEXT NOT NULL, UNIQUE (job, step)
);
"""


class Store:
    """The desk's tables. Used by many threads, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.RLock()
        with self._readable_errors():
            self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            found = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            if found not in (0, VERSION):
                raise sqlite3.DatabaseError(f"version {found}, where this Burnish knows {VERSION}")
            self._connection.executescript(_TABLES)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Nothing may be asked after it."""
        with self._lock:
            self._connection.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows that a SELECT finds."""
        with self._lock, self._readable_errors():
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first of them."""
        return next(iter(self.rows(query, values)), None)

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Does one INSERT, UPDATE or DELETE; how many rows it touched. Alone it is a transaction of its own."""
        with self._lock, self._readable_errors():
            return self._connection.execute(statement, values).rowcount

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is changed inside happens as a whole or not at all; other threads wait. One inside another is a part."""
        with self._lock, self._readable_errors():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "disk is full" in str(error):
                raise Stopped(
                    "The disk is full.", where=str(self._path), next_move="free some space; what was confirmed is kept"
                ) from error
            raise BurnishError(
                "The record of files and jobs cannot be read or written.",
                where=str(self._path),
                seen=str(error),
                next_move="check the file and its permissions",
            ) from error
