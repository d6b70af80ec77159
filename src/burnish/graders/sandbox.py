"""Runs a Python program that nobody has read, with little time, memory and reach.

This is a fence, not a prison: the program can read the files that you can read, and a hole in the kernel is a hole
here. `sandbox_guard` puts the fence up; what it could put up differs between machines, and `fences` says what stands.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).with_name("sandbox_guard.py")
KEPT_OUTPUT = 4_096  # bytes at the end of what was printed


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code (None: out of time) and the end of what it printed, errors included."""

    code: int | None
    printed: str


def run_python(program: str, *, seconds: float, memory_mb: int) -> Ended:
    """Runs a program text with Python's own library alone: no packages, no environment, no input.

    `seconds` is of the clock; after it the program and all that it started are killed.
    """
    text = program.encode("utf-8", errors="replace")
    with tempfile.TemporaryDirectory(prefix="burnish-") as folder, tempfile.TemporaryFile() as printed:
        child = subprocess.Popen(
            # -I: nothing of the user's environment or folder is imported; -S: no installed packages.
            [sys.executable, "-I", "-S", "-B", str(GUARD), str(seconds), str(memory_mb)],
            stdin=subprocess.PIPE, stdout=printed, stderr=printed, cwd=folder, env={}, start_new_session=True,
        )  # fmt: skip
        try:
            child.communicate(text, timeout=seconds)
        except subprocess.TimeoutExpired:
            return Ended(None, "")
        finally:
            _end(child)
        printed.seek(max(os.fstat(printed.fileno()).st_size - KEPT_OUTPUT, 0))
        return Ended(child.returncode, printed.read().decode("utf-8", errors="replace"))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the child's process group; its process namespace, if it has one, ends with it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def fences() -> tuple[str, ...]:
    """Which fences this machine allows beyond limits of time and memory: `network`, `files`, `processes`."""
    ended = run_python("import os\nprint(os.environ['FENCES'])", seconds=10.0, memory_mb=512)
    return tuple(ended.printed.split()) if ended.code == 0 else ()
