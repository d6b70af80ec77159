"""`burnish train --ranks 2` as a user starts it: processes that begin, stop and end as one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "colours.jsonl"
    colours = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(12) for thing, colour in colours.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def start(model: Path, rows: Path, out: Path, ranks: int, steps: int) -> subprocess.Popen[str]:
    command = ["train", "--model", model, "--data", rows, "--out", out, "--name", "r", "--ranks", ranks, "--set",
               f"train.steps={steps}", "--set", "model.dtype=float32"]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "burnish", *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip


def children(process: subprocess.Popen[str]) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def wait_for_steps(path: Path, steps: int) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() or path.read_bytes().count(b"\n") < steps:
        assert time.monotonic() < deadline, "training does not begin"
        time.sleep(0.05)


def gone(pids: list[int], seconds: float) -> bool:
    """Whether none of the processes is left soon."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            return True
        time.sleep(0.05)
    return False


def test_ranks_stop_on_a_signal_go_on_and_leave_no_orphan(tiny_folder: Path, rows: Path, tmp_path: Path) -> None:
    metrics, steps = tmp_path / "r" / "metrics.jsonl", 100_000
    process = start(tiny_folder, rows, tmp_path, 2, steps)
    wait_for_steps(metrics, 3)
    ranks = children(process)
    assert len(ranks) == 2
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert out.count("── train") == 1
    assert "everything up to it is saved" in err
    assert gone(ranks, 5)
    done = metrics.read_bytes().count(b"\n")

    process = start(tiny_folder, rows, tmp_path, 2, steps)
    wait_for_steps(metrics, done + 2)
    ranks = children(process)
    os.kill(ranks[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Rank 1 was ended by signal 9 (SIGKILL)" in err
    assert gone(ranks, 5)
