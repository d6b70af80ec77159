"""What happened to a job, in order: a row an event, which is never changed."""

from __future__ import annotations

import json
import time
from sqlite3 import Row
from typing import Any, Literal

from burnish.core.files import dump_json
from burnish.server.tuning.ids import new_id
from burnish.server.tuning.store import Store

Level = Literal["info", "warn", "error"]


def add_event(
    store: Store, job: str, message: str, *, level: Level = "info", data: dict[str, Any] | None = None,
    kind: Literal["message", "metrics"] = "message",
) -> None:  # fmt: skip
    """Adds one event at the end."""
    store.change(
        "INSERT INTO events (id, job, created_at, level, message, type, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (new_id("ftevent"), job, int(time.time()), level, message, kind, None if data is None else dump_json(data)),
    )


def event_json(row: Row) -> dict[str, Any]:
    """OpenAI's `fine_tuning.job.event`."""
    return {
        "object": "fine_tuning.job.event",
        "id": row["id"],
        "created_at": row["created_at"],
        "level": row["level"],
        "message": row["message"],
        "type": row["type"],
        "data": None if row["data"] is None else json.loads(row["data"]),
    }


def checkpoint_json(row: Row) -> dict[str, Any]:
    """OpenAI's `fine_tuning.job.checkpoint`."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": row["id"],
        "created_at": row["created_at"],
        "fine_tuning_job_id": row["job"],
        "fine_tuned_model_checkpoint": row["name"],
        "step_number": row["step"],
        "metrics": json.loads(row["metrics"]),
    }
