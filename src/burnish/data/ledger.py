"""What happened to rows: dropped, changed and flagged, each record written as it comes, and counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import IO, Any, Self

from burnish.core.files import disk_errors, dump_json, sync
from burnish.core.records import Changed, Dropped, Flagged
from burnish.core.run_folder import RunFolder

DETAIL_CHARACTERS = 200
Counts = dict[str, Counter[str]]  # part that the rows came from → reason → how many


class Ledger:
    """Three files that appear whole, or not at all, when the block ends without an error."""

    def __init__(self, folder: RunFolder) -> None:
        self._paths = {"dropped": folder.dropped, "changed": folder.changed, "flagged": folder.flagged}
        self._files: dict[str, IO[str]] = {}
        self._open = ExitStack()
        self.dropped: Counts = {}
        self.changed: Counts = {}
        self.flagged: Counts = {}
        self.first_dropped: dict[str, Dropped] = {}

    def __enter__(self) -> Self:
        for name, path in self._paths.items():
            with disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._files[name] = self._open.enter_context(path.with_suffix(".part").open("w", encoding="utf-8"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        for path in self._paths.values():
            written = path.with_suffix(".part")
            if kind is None:
                sync(written)
                written.replace(path)
            else:
                written.unlink(missing_ok=True)
        if kind is not None:
            with suppress(OSError):  # what earlier stages left there stays
                self._paths["dropped"].parent.rmdir()

    def drop(self, part: str, records: Iterable[Dropped]) -> None:
        for record in records:
            self.first_dropped.setdefault(part, record)
            self._write("dropped", self.dropped, part, record.reason, storable(record))

    def change(self, part: str, records: Iterable[Changed]) -> None:
        for record in records:
            self._write("changed", self.changed, part, record.reason, record.to_json())

    def flag(self, part: str, records: Iterable[Flagged]) -> None:
        for record in records:
            self._write("flagged", self.flagged, part, record.reason, record.to_json())

    def _write(self, name: str, counts: Counts, part: str, reason: str, value: Mapping[str, Any]) -> None:
        counts.setdefault(part, Counter())[reason] += 1
        with disk_errors(self._paths[name]):
            self._files[name].write(dump_json(value) + "\n")


def storable(dropped: Dropped) -> dict[str, Any]:
    """The JSON form of a dropped row. A row that UTF-8 or JSON cannot hold is kept as a string with escapes."""
    value = dropped.to_json() | {"detail": dropped.detail[:DETAIL_CHARACTERS]}
    try:
        dump_json(value).encode("utf-8")
    except (TypeError, ValueError):
        return value | {"row": json.dumps(dropped.row, default=str)}
    except RecursionError:
        return value | {"row": None}
    return value
