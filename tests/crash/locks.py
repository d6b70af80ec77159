"""Two processes on one run folder, and one whose holder was killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.core.run_folder import RunFolder


def hold_and_take(folder: Path, times: int) -> tuple[int, int]:
    """How often a second process was refused while the first held the run, and let in after that one was killed."""
    run = RunFolder(folder)
    run.create()
    refused = taken = 0
    for _ in range(times):
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            with run.lock():
                os.write(tell, b"x")
                signal.pause()
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)
        refused += not _may_hold(run)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        taken += _may_hold(run)
    return refused, taken


def _may_hold(run: RunFolder) -> bool:
    try:
        with run.lock():
            return True
    except BurnishError:
        return False
