"""The process that works on a run: started, found again after a crash of the server, stopped.

It holds a lock from the moment it is there until it has ended, inherited from the server that started it: the kernel
drops it with the process. So a server that was killed finds out whether its child still works, also when it had no time
to note its number.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOCK = ".child"
SECRETS = ("BURNISH_API_KEY",)  # the server's own key is none of a run's business


@dataclass(frozen=True)
class Child:
    """A process at work in a job's folder. `process` is there if it is a child of this very server."""

    folder: Path
    pid: int | None
    born: str | None
    process: subprocess.Popen[bytes] | None = None


def start_child(arguments: Sequence[str], folder: Path, log: Path) -> Child:
    """`python -m burnish ARGUMENTS` in a session of its own; what it prints goes to a file, which needs no reader."""
    with (folder / LOCK).open("a") as lock, log.open("wb") as output:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            [sys.executable, "-m", "burnish", *arguments],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name not in SECRETS},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
    return Child(folder, process.pid, birth(process.pid), process)


def is_at_work(child: Child) -> bool:
    """Whether it, or a process that it started, is still there."""
    if child.process is not None and child.process.poll() is None:
        return True
    try:
        file = (child.folder / LOCK).open("a")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def exit_code(child: Child) -> int | None:
    """How it ended; None where another server started it, so that nobody was told."""
    return None if child.process is None else child.process.poll()


def send(child: Child, number: signal.Signals) -> None:
    """To it and to what it started. Not to a stranger that has its number by now."""
    ours = child.process is not None or (child.born is not None and birth(child.pid) == child.born)
    if child.pid is not None and ours and is_at_work(child):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def birth(pid: int | None) -> str | None:
    """When a process was started: with its number it is the same process and no other. None: it is not there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None if sys.platform == "linux" else _asked(pid)
    return f"{boot} {fields[19]}"  # field 22 of proc(5), in ticks since the machine started


def _asked(pid: int | None) -> str | None:
    """The same where there is no /proc."""
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None
