"""A warm process that forks: torch is imported once, each trial is a process group of its own that may be killed.

The fork server is multiprocessing's own; ranks are forked by the trial's first process, before any thread is started.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

from burnish.core.errors import BurnishError
from burnish.core.ranks import LISTENER

ROOT = Path(__file__).parents[2]
CONTEXT = multiprocessing.get_context("forkserver")
PRELOAD = ["tests.crash.trial", "tests.crash.disk_full"]
PRELOAD += ["burnish.pipeline.run", "burnish.cli.runs", "burnish.cli.showing"]  # what the command line imports late
LONGEST = 300.0  # seconds after which a trial hangs


def warm_up() -> None:
    """Starts the fork server with everything imported; later calls do nothing."""
    CONTEXT.set_forkserver_preload(PRELOAD)
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    with patch.dict(os.environ, {"PYTHONPATH": paths, "GLOO_SOCKET_IFNAME": "lo"}):
        forkserver.ensure_running()


def start(work: Callable[..., None], log: Path, *arguments: Any) -> ForkServerProcess:
    """Runs work(*arguments) in a process group of its own. What it raises goes into `log`, and into the exit code."""
    warm_up()
    process = CONTEXT.Process(target=_lead, args=(work, log, arguments), daemon=True)
    process.start()
    return process


def _lead(work: Callable[..., None], log: Path, arguments: tuple[Any, ...]) -> None:
    os.setpgid(0, 0)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    guarded(work, log, *arguments)


def guarded(work: Callable[..., None], log: Path, *arguments: Any) -> None:
    """Ends this process with the exit code that the command line would give."""
    code = 0
    try:
        work(*arguments)
    except BaseException as error:
        code = error.exit_code if isinstance(error, BurnishError) else 1
        with log.open("a") as file:
            file.write(str(error) + "\n" if isinstance(error, BurnishError) else traceback.format_exc())
    os._exit(code)  # a fork runs nobody's clean-up


def kill(process: ForkServerProcess, number: int = signal.SIGKILL) -> None:
    """The signal to the whole group; with SIGKILL nobody is left of it."""
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:  # killed before it made its group
            os.kill(process.pid, number)
    if number == signal.SIGKILL:
        process.join(LONGEST)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def end_of(process: ForkServerProcess) -> int:
    """Waits for the exit code; negative for a signal. Raises TimeoutError, and leaves nothing running."""
    process.join(LONGEST)
    code = process.exitcode
    kill(process)
    if code is None:
        raise TimeoutError(f"the trial did not end in {LONGEST:.0f} s")
    return code


def run(work: Callable[..., None], log: Path, *arguments: Any) -> int:
    """`start` and `end_of`."""
    return end_of(start(work, log, *arguments))


def fork_ranks(size: int, body: Callable[[int], None], log: Path) -> None:
    """Runs body(rank) in this process (rank 0) and in forks of it, one group, with the environment torchrun gives."""
    others = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.environ |= {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
        os.environ |= {"MASTER_PORT": str(listener.getsockname()[1])}
        for rank in range(1, size):
            pid = os.fork()
            if pid == 0:
                listener.close()
                guarded(_as_rank, log, rank, body)
            others.append(pid)
        os.environ[LISTENER] = str(listener.detach())  # rank 0 keeps the store on it
    _as_rank(0, body)
    for pid in others:
        os.waitpid(pid, 0)


def _as_rank(rank: int, body: Callable[[int], None]) -> None:
    os.environ["RANK"] = os.environ["LOCAL_RANK"] = str(rank)
    body(rank)


def all_ended(process: ForkServerProcess, within: float = 10.0) -> bool:
    """Whether soon nothing of a trial is left but what was stopped on purpose or waits to be collected."""
    until = time.monotonic() + within
    while any(state not in "TZX" for state in _states(process)):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _states(process: ForkServerProcess) -> list[str]:
    """The state letters of a trial's processes, as /proc has them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended just now
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == process.pid:
                found.append(fields[0])
    return found
