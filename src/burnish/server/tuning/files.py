"""Files that clients uploaded, and results of jobs: a row in the store, the content under an id of ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Row
from typing import Any

from burnish.core.files import sync
from burnish.server.api_error import ApiError
from burnish.server.tuning.ids import new_id
from burnish.server.tuning.store import Store

TUNE, RESULTS = "fine-tune", "fine-tune-results"
LONGEST_NAME = 255


@dataclass(frozen=True)
class Files:
    """The store's files and the folder that holds their contents."""

    store: Store
    folder: Path

    def path(self, id: str) -> Path:
        return self.folder / id

    def add(self, content: Path, filename: str, purpose: str, lifetime: int | None = None) -> dict[str, Any]:
        """Takes over a finished file of this folder, which is on the disk before the row that names it."""
        id, now = new_id("file"), int(time.time())
        sync(content)
        size = content.stat().st_size
        content.rename(self.path(id))
        sync(self.folder)
        self.store.change(
            "INSERT INTO files (id, filename, purpose, bytes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            (id, shown_name(filename), purpose, size, now, now + lifetime if lifetime else None),
        )
        return self.get(id)

    def get(self, id: str) -> dict[str, Any]:
        """Raises ApiError (404): there is no such file."""
        row = self.find(id)
        if row is None:
            raise ApiError(404, f"No such File object: {id[:80]}", param="id")
        return row

    def find(self, id: str) -> dict[str, Any] | None:
        row = self.store.row("SELECT * FROM files WHERE id = ?", (id,))
        return None if row is None else to_json(row)

    def delete(self, id: str) -> dict[str, Any]:
        """Forgets the row and then the content. Raises ApiError (404)."""
        self.get(id)
        self.store.change("DELETE FROM files WHERE id = ?", (id,))
        self.path(id).unlink(missing_ok=True)
        return {"id": id, "object": "file", "deleted": True}

    def expire(self) -> None:
        """Deletes what was to be kept until now."""
        for row in self.store.rows("SELECT id FROM files WHERE expires_at <= ?", (int(time.time()),)):
            self.delete(row["id"])

    def forget_strays(self) -> None:
        """At a start: deletes contents that no row names, of uploads and deletions that a crash cut short."""
        known = {row["id"] for row in self.store.rows("SELECT id FROM files")}
        for path in self.folder.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)


def shown_name(name: str) -> str:
    """A client's name for a file, as a label: without folders, control characters and excess."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or "file"


def to_json(row: Row) -> dict[str, Any]:
    """OpenAI's `file` object. What lies here was checked when it came, so it is always `processed`."""
    return {
        "id": row["id"],
        "object": "file",
        "bytes": row["bytes"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "filename": row["filename"],
        "purpose": row["purpose"],
        "status": "processed",
        "status_details": None,
    }
