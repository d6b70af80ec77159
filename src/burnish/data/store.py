"""Rows on disk, found by number, so that a data set need not fit into memory."""

from __future__ import annotations

import json
import os
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

from burnish.core.files import disk_errors, dump_json
from burnish.core.records import Row, row_from_json

FLUSH_BYTES = 1 << 20


class RowStore:
    """Rows in a temporary file, one JSON line each; 8 bytes a row in memory. The file goes when the store is closed.

    Processes that are forked from this one may read at the same time: each place in the file is written and read by its
    number, so none of them depends on where another one stands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with disk_errors(folder):
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - lives as long as the store
        self._ends = array("q", [0])
        self._waiting = bytearray()
        self._written = 0

    def append(self, line: bytes) -> int:
        """Takes a row as `line_of` writes it. Returns its number."""
        self._waiting += line
        self._ends.append(self._ends[-1] + len(line))
        if len(self._waiting) >= FLUSH_BYTES:
            self._flush()
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Row:
        start, end = self._ends[number], self._ends[number + 1]
        if end > self._written:
            self._flush()
        return row_of(os.pread(self._file.fileno(), end - start, start))

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def _flush(self) -> None:
        with disk_errors(self.folder):
            while self._waiting:
                count = os.pwrite(self._file.fileno(), self._waiting, self._written)
                self._written += count
                del self._waiting[:count]

    def close(self) -> None:
        self._file.close()


def line_of(row: Row) -> bytes:
    """A row as one line of JSON."""
    return dump_json(row.to_json()).encode()


def row_of(line: bytes) -> Row:
    """The row that `line_of` wrote."""
    return row_from_json(json.loads(line))
