"""K6 through the real command line: `burnish train --ranks 3`, of which one rank is killed or stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.crash.kills import lines_in

PATIENCE = 90.0  # seconds: a lost rank must be named within 60


@dataclass(frozen=True)
class Lost:
    """What became of the others."""

    signal: str
    code: int
    seconds: float  # from the signal to the end of all
    left: int  # processes that are still there
    error: str

    @property
    def good(self) -> bool:
        return self.code == 1 and self.seconds <= 60 and not self.left and "ank 1" in self.error

    def __str__(self) -> str:
        first = next((line for line in self.error.splitlines() if "ank 1" in line), "the rank is not named")
        return f"{self.signal}: exit {self.code} after {self.seconds:.0f} s, {self.left} processes left; {first}"


def lose_a_rank(scratch: Path, model: Path, number: signal.Signals) -> Lost:
    """Starts three ranks, sends the signal to rank 1 in the middle of training, and waits."""
    scratch.mkdir()
    rows = [{"prompt": f"{n}: {thing}?", "completion": "blue"} for n in range(15) for thing in ("sky", "sea")]
    (scratch / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "burnish", "train", "--ranks", "3", "--model", str(model), "--data",
               str(scratch / "rows.jsonl"), "--out", str(scratch), "--name", "run", "--set", "train.steps=100000",
               "--set", "train.patience=100000", "--set", "train.save_every=50"]  # fmt: skip
    with (scratch / "error.txt").open("w") as error:
        launcher = subprocess.Popen(command, stdout=error, stderr=error, env={**os.environ, "OMP_NUM_THREADS": "1"})
    until = time.monotonic() + PATIENCE
    while lines_in(scratch / "run" / "metrics.jsonl") < 20 and launcher.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    ranks = _children(launcher.pid)
    lost = next((pid for pid in ranks if _rank(pid) == "1"), None)
    if lost is None:
        launcher.kill()
        launcher.wait()
        return Lost(number.name, -1, 0.0, len(ranks), (scratch / "error.txt").read_text())
    begun = time.monotonic()
    os.kill(lost, number)
    try:
        code = launcher.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        launcher.kill()
        code = launcher.wait()
    left = [pid for pid in ranks if Path(f"/proc/{pid}").exists()]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return Lost(number.name, code, time.monotonic() - begun, len(left), (scratch / "error.txt").read_text())


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _rank(pid: int) -> str:
    variables = dict(line.partition("=")[::2] for line in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return variables.get("RANK", "")
