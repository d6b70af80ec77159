"""What is known of each row, in temporary files: millions of rows take no memory that cannot be given back."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from burnish.core.files import disk_errors

AT_ONCE = 1 << 14


class Column:
    """Values of one type of numpy's. The file goes when the column and the array that was made of it are gone."""

    def __init__(self, kind: DTypeLike, folder: Path | None = None) -> None:
        self.kind = np.dtype(kind)
        self._folder = folder
        with disk_errors(folder or Path(tempfile.gettempdir())):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the column
        self._written = 0
        self._waiting: list[Any] = []
        self._found: NDArray[Any] | None = None

    def __len__(self) -> int:
        return self._written + len(self._waiting)

    def append(self, value: Any) -> None:
        assert self._found is None, "a column that was read takes no more values"
        self._waiting.append(value)
        if len(self._waiting) >= AT_ONCE:
            self._flush()

    def extend(self, values: Iterable[Any]) -> None:
        for value in values:
            self.append(value)

    def finish(self) -> NDArray[Any]:
        """All values, to be read only. The system may drop them from memory, for they stand in the file as well."""
        if self._found is None:
            self._flush()
            self._found = np.zeros(0, self.kind)
            if self._written:
                mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
                self._found = np.frombuffer(mapped, self.kind)
        return self._found

    def _flush(self) -> None:
        with disk_errors(self._folder or Path(tempfile.gettempdir())):
            self._file.write(np.array(self._waiting, self.kind).tobytes())
            self._file.flush()
        self._written += len(self._waiting)
        self._waiting = []
