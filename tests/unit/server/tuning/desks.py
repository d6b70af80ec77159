"""A desk without a server, and a job on it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.core.run_folder import RunFolder
from burnish.server.tuning.desk import Desk, desk_at
from burnish.server.tuning.events import event_json
from burnish.server.tuning.files import TUNE
from burnish.server.tuning.jobs import Job, get_job
from burnish.server.tuning.submit import submit
from tests.unit.server.tuning.rows import jsonl


@dataclass(frozen=True)
class AtDesk:
    """A job, and the names of models that were published."""

    desk: Desk
    id: str
    published: list[str] = field(default_factory=list)

    @property
    def job(self) -> Job:
        return get_job(self.desk.store, self.id)

    @property
    def run(self) -> RunFolder:
        return self.desk.run(self.id)

    def set(self, **columns: Any) -> None:
        for name, value in columns.items():
            self.desk.store.change(f"UPDATE jobs SET {name} = ? WHERE id = ?", (value, self.id))

    def events(self) -> list[dict[str, Any]]:
        rows = self.desk.store.rows("SELECT * FROM events WHERE job = ? ORDER BY number", (self.id,))
        return [event_json(row) for row in rows]


@contextlib.contextmanager
def job_at_desk(folder: Path, **said: Any) -> Iterator[AtDesk]:
    published: list[str] = []
    with desk_at(folder / "runs", {"tiny": "tiny-model"}, lambda name, run: published.append(name)) as desk:
        content = desk.files.folder / ".content"
        content.write_bytes(jsonl())
        file = desk.files.add(content, "a.jsonl", TUNE)
        job = submit(desk, {"model": "tiny", "training_file": file["id"], **said})
        yield AtDesk(desk, job.id, published)


def append(path: Path, *values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(value if isinstance(value, str) else json.dumps(value) + "\n" for value in values)
