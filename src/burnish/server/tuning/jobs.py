"""Jobs: a row each, and the moves that a status may make.

validating_files → queued → running → succeeded, failed or cancelled; running → pausing → paused → queued.
A process id stands in the row as long as there may be a child that works on the run, whatever the status.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from burnish.core.files import dump_json
from burnish.server.api_error import ApiError
from burnish.server.tuning.events import Level, add_event
from burnish.server.tuning.ids import new_id
from burnish.server.tuning.request import JobRequest, method_of
from burnish.server.tuning.store import Store

ENDED = ("succeeded", "failed", "cancelled")
PAUSABLE = ("validating_files", "queued", "running")


@dataclass(frozen=True)
class Job:
    """A row, read."""

    id: str
    created_at: int
    model: str
    training_file: str
    validation_file: str | None
    method: dict[str, Any]
    suffix: str
    seed: int
    metadata: dict[str, str] | None
    status: str
    fine_tuned_model: str | None
    finished_at: int | None
    estimated_finish: int | None
    trained_tokens: int | None
    result_file: str | None
    error: dict[str, Any] | None
    verdict: dict[str, Any] | None
    pid: int | None
    born: str | None
    starts: int
    lines: int
    step: int
    steps: int | None

    @property
    def hyperparameters(self) -> dict[str, Any]:
        found: dict[str, Any] = self.method[self.method["type"]]["hyperparameters"]
        return found


def read_job(row: Row) -> Job:
    """JSON columns become values."""
    values = {key: row[key] for key in row.keys() if key != "number"}  # noqa: SIM118 - a Row iterates over values
    for key in ("method", "metadata", "error", "verdict"):
        values[key] = None if values[key] is None else json.loads(values[key])
    return Job(**values)


def get_job(store: Store, id: str) -> Job:
    """Raises ApiError (404): there is no such job."""
    row = store.row("SELECT * FROM jobs WHERE id = ?", (id,))
    if row is None:
        raise ApiError(404, f"Could not find fine tune: {id[:80]}", param="fine_tuning_job_id",
                       code="fine_tune_not_found")  # fmt: skip
    return read_job(row)


def jobs_in(store: Store, *statuses: str) -> list[Job]:
    """Those with one of the statuses, the oldest first."""
    marks = ", ".join("?" * len(statuses))
    return [
        read_job(row) for row in store.rows(f"SELECT * FROM jobs WHERE status IN ({marks}) ORDER BY number", statuses)
    ]


def create_job(store: Store, request: JobRequest) -> Job:
    """Adds a job whose files are then checked."""
    id = new_id("ftjob")
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    with store.transaction():
        store.change(
            "INSERT INTO jobs (id, created_at, model, training_file, validation_file, method, suffix, seed, metadata, "
            "status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'validating_files')",
            (id, int(time.time()), request.model, request.training_file, request.validation_file,
             dump_json(method_of(request)), request.suffix or "", seed,
             None if request.metadata is None else dump_json(request.metadata)),
        )  # fmt: skip
        add_event(store, id, f"Created fine-tuning job: {id}")
        other = f" and validation file: {request.validation_file}" if request.validation_file else ""
        add_event(store, id, f"Validating training file: {request.training_file}{other}")
        if request.integrations:
            add_event(store, id, "Integrations are not used: nothing is sent from this machine. The metrics stand in "
                      "the events and in the result file.", level="warn")  # fmt: skip
    return get_job(store, id)


def move(store: Store, job: str, before: tuple[str, ...], after: str, message: str, *, level: Level = "info") -> bool:
    """Changes a status and says so, unless the job is not (any more) where it was thought to be."""
    with store.transaction():
        marks = ", ".join("?" * len(before))
        ended = int(time.time()) if after in ENDED else None
        changed = store.change(
            "UPDATE jobs SET status = ?, finished_at = ?, estimated_finish = NULL "
            f"WHERE id = ? AND status IN ({marks})",
            (after, ended, job, *before),
        )
        if changed:
            add_event(store, job, message, level=level)
    return bool(changed)


def fail(store: Store, job: str, code: str, message: str, param: str | None = None) -> None:
    """Ends a job that cannot be done, with what a client reads as its `error`."""
    with store.transaction():
        if move(store, job, ("validating_files", "queued", "running", "pausing"), "failed", message, level="error"):
            error = dump_json({"code": code, "message": message, "param": param})
            store.change("UPDATE jobs SET error = ? WHERE id = ?", (error, job))


def cancel_job(store: Store, id: str) -> Job:
    """Ends it now; a child at work on it is stopped by the runner. Raises ApiError: it has ended before."""
    open_ones = (*PAUSABLE, "pausing", "paused")
    if not move(store, id, open_ones, "cancelled", "Fine-tuning job cancelled"):
        raise _refused(get_job(store, id), "cancelled")
    return get_job(store, id)


def pause_job(store: Store, id: str) -> Job:
    """A running job saves first and is `pausing` until then. Raises ApiError: it is not waiting or running."""
    running = move(store, id, ("running",), "pausing", "Pausing: the last step is saved first")
    if not running and not move(store, id, ("queued",), "paused", "Fine-tuning job paused"):
        raise _refused(get_job(store, id), "paused")
    return get_job(store, id)


def resume_job(store: Store, id: str) -> Job:
    """Back into the queue. Raises ApiError: it is not paused."""
    if not move(store, id, ("paused",), "queued", "Fine-tuning job resumed, waiting in the queue"):
        raise _refused(get_job(store, id), "resumed")
    return get_job(store, id)


def _refused(job: Job, verb: str) -> ApiError:
    return ApiError(400, f"The job {job.id} can't be {verb}: its status is '{job.status}'.",
                    param="fine_tuning_job_id", code="invalid_status")  # fmt: skip


def job_json(job: Job, organisation: str) -> dict[str, Any]:
    """OpenAI's `fine_tuning.job`, and two fields of our own: `verdict` and `run`, the name of the run's folder."""
    hyperparameters = {key: value for key, value in job.hyperparameters.items() if key != "beta"}
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "estimated_finish": job.estimated_finish,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model if job.status == "succeeded" else None,
        "organization_id": organisation,
        "status": job.status,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "result_files": [job.result_file] if job.result_file else [],
        "trained_tokens": job.trained_tokens,
        "hyperparameters": hyperparameters,
        "method": job.method,
        "seed": job.seed,
        "user_provided_suffix": job.suffix or None,
        "metadata": job.metadata,
        "integrations": [],
        "error": job.error,
        "verdict": job.verdict,
        "run": job.id,
    }
