"""Jobs with their thread and their processes, as a server has them."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from burnish.core.hardware import memory_bytes
from burnish.server.tuning.child import Child, birth, is_at_work
from burnish.server.tuning.desk import Desk, desk_at
from burnish.server.tuning.files import TUNE
from burnish.server.tuning.jobs import Job, cancel_job, get_job
from burnish.server.tuning.room import PROGRAM
from burnish.server.tuning.runner import running
from burnish.server.tuning.submit import submit
from tests.unit.server.tuning.rows import jsonl


@contextlib.contextmanager
def desk_with(folder: Path, model: Path) -> Iterator[Desk]:
    with desk_at(folder / "runs", {"tiny": str(model)}, lambda *_: None) as desk, running(desk):
        yield desk


def new_job(desk: Desk) -> str:
    (desk.files.folder / ".new").write_bytes(jsonl(count=40))
    file = desk.files.add(desk.files.folder / ".new", "a.jsonl", TUNE)
    return submit(desk, {"model": "tiny", "training_file": file["id"]}).id


def until(desk: Desk, id: str, true: Callable[[Job], Any]) -> Job:
    deadline = time.monotonic() + 30
    while not true(job := get_job(desk.store, id)):
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def last_event(desk: Desk, id: str) -> str:
    row = desk.store.row("SELECT message FROM events WHERE job = ? ORDER BY number DESC", (id,))
    return "" if row is None else str(row["message"])


def test_no_process_stays_behind_a_server_and_its_job_goes_on_at_the_next_start(
    tmp_path: Path, tiny_folder: Path
) -> None:
    with desk_with(tmp_path, tiny_folder) as desk:
        id = new_job(desk)
        first = until(desk, id, lambda job: job.pid)
        folder = desk.folder(id)
        assert is_at_work(Child(folder, None, None))
    assert birth(first.pid) != first.born
    assert not is_at_work(Child(folder, None, None))
    with desk_with(tmp_path, tiny_folder) as desk:
        again = until(desk, id, lambda job: job.pid)
        assert again.status == "running"
        assert again.pid != first.pid
        cancel_job(desk.store, id)
        until(desk, id, lambda job: job.pid is None)
        assert not is_at_work(Child(folder, None, None)), "a job that is cancelled has no process"
        assert get_job(desk.store, id).status == "cancelled"


def model_of(size: int, folder: Path, like: Path) -> Path:
    """A model that is all hole: it has this size and takes no room."""
    folder.mkdir()
    shutil.copyfile(like / "config.json", folder / "config.json")
    with (folder / "model.safetensors").open("wb") as file:
        os.truncate(file.fileno(), size)
    return folder


def test_a_job_waits_for_memory_and_says_so(tmp_path: Path, tiny_folder: Path) -> None:
    model = model_of(
        memory_bytes() - PROGRAM, tmp_path / "model", tiny_folder
    )  # as much as there is, and some of it is taken
    with desk_with(tmp_path, model) as desk:
        id = new_job(desk)
        until(desk, id, lambda job: "Waiting for room" in last_event(desk, id))
        assert get_job(desk.store, id).status == "queued"


@pytest.mark.parametrize("model", ["large", "gone"])
def test_a_job_that_can_never_run_here_fails_at_once(model: str, tmp_path: Path, tiny_folder: Path) -> None:
    large = model_of(memory_bytes() + 1, tmp_path / "model", tiny_folder)
    path = large if model == "large" else tmp_path / "none"
    with desk_with(tmp_path, path) as desk:
        id = new_job(desk)
        error = until(desk, id, lambda job: job.status == "failed").error
        assert error is not None
        assert error["code"] == "server_error"
        assert ("too little memory" if model == "large" else "no such model") in error["message"]
