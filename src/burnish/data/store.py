"""Rows on disk, found by number, so that a data set need not fit into memory."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

from burnish.core.files import disk_errors, dump_json
from burnish.core.records import Row, row_from_json


class RowStore:
    """Rows in a temporary file, one JSON line each; 8 bytes a row in memory. The file goes when the store is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with disk_errors(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the store
        self._ends = array("q", [0])

    def append(self, row: Row) -> None:
        line = dump_json(row.to_json()).encode()
        with disk_errors(self.folder):
            self._file.seek(self._ends[-1])
            self._file.write(line)
        self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> Row:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return row_from_json(json.loads(self._file.read(end - start)))

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def close(self) -> None:
        self._file.close()
