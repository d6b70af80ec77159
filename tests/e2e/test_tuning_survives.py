"""The server of a job is killed and comes back, the job is paused and resumed: it ends as if undisturbed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from openai import OpenAI

from tests.tuning import QUICK
from tests.unit.server.tuning.rows import jsonl, pair

SLOW = {**QUICK, "train": {"patience": 100_000, "evaluate_every": 40}}  # some seconds of training


@contextlib.contextmanager
def server(folder: Path, model: Path) -> Iterator[tuple[OpenAI, subprocess.Popen[bytes]]]:
    (folder / "address").unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "tests.tuning", str(folder), str(model), json.dumps(SLOW)])
    try:
        until(lambda: (folder / "address").exists())
        yield OpenAI(base_url=(folder / "address").read_text(), api_key="any"), process
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at_work(folder: Path) -> tuple[int | None, int, str]:
    """Process, last step taken in and status of the only job, from the record itself."""
    with contextlib.closing(sqlite3.connect(folder / "runs" / ".openai" / "desk.sqlite")) as connection:
        pid, step, status = connection.execute("SELECT pid, step, status FROM jobs").fetchone()
    return pid, step, status


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")


def test_a_job_on_preferences_outlives_a_kill_of_its_server_and_a_pause(tmp_path: Path, tiny_folder: Path) -> None:
    epochs = 12
    with server(tmp_path, tiny_folder) as (client, process):
        file = client.files.create(file=("pairs.jsonl", jsonl(pair, 60)), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(
            model="tiny",
            training_file=file.id,
            seed=1,
            method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": epochs, "batch_size": 4, "beta": 0.2}}},
        ).id
        client.files.delete(file.id)  # a job has its data once it is created
        until(lambda: at_work(tmp_path)[1] > 5)
        process.kill()
        process.wait()
    child = at_work(tmp_path)[0]
    assert child is not None
    assert is_there(child), "the run does not need its server"
    os.kill(child, signal.SIGSTOP)  # it would be done before the next server is there
    with server(tmp_path, tiny_folder) as (client, _):
        assert at_work(tmp_path)[0] == child, "found again, not started twice"
        step = at_work(tmp_path)[1]
        os.kill(child, signal.SIGCONT)
        until(lambda: at_work(tmp_path)[1] > step)
        assert client.fine_tuning.jobs.pause(job).status == "pausing"
        until(lambda: at_work(tmp_path)[2] == "paused")
        assert not is_there(child)
        assert client.fine_tuning.jobs.resume(job).status == "queued"
        until(lambda: client.fine_tuning.jobs.retrieve(job).status in ("succeeded", "failed", "paused"))
        done = client.fine_tuning.jobs.retrieve(job)
        assert done.status == "succeeded", done.error
        events = list(reversed(list(client.fine_tuning.jobs.list_events(job, limit=50))))
    steps = [event.data["step"] for event in events if event.type == "metrics"]
    assert steps == list(range(1, len(steps) + 1)), "each step once and in order"
    metrics = (tmp_path / "runs" / job / "metrics.jsonl").read_text().splitlines()
    assert len(steps) == len(metrics) == epochs * 30 // 4
    assert [event.message for event in events].count("Fine-tuning job goes on") == 1
    assert at_work(tmp_path)[0] is None
