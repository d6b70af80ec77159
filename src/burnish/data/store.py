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


class RowStore:
    """Rows in a temporary file, one JSON line each; 8 bytes a row in memory. The file goes when the store is closed.

    Processes that are forked from this one may read at the same time: no position in the file is shared.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with disk_errors(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the store
        self._ends = array("q", [0])
        self._unwritten = False

    def append(self, line: bytes) -> None:
        """Takes a row as `line_of` writes it."""
        with disk_errors(self.folder):
            self._file.write(line)
        self._unwritten = True
        self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Row:
        start, end = self._ends[number], self._ends[number + 1]
        if self._unwritten:
            with disk_errors(self.folder):
                self._file.flush()
            self._unwritten = False
        return row_of(os.pread(self._file.fileno(), end - start, start))

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def close(self) -> None:
        self._file.close()


def line_of(row: Row) -> bytes:
    """A row as one line of JSON."""
    return dump_json(row.to_json()).encode()


def row_of(line: bytes) -> Row:
    """The row that `line_of` wrote."""
    return row_from_json(json.loads(line))
