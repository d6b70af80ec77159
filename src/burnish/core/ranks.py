"""Processes that train together on this machine: started as one, ended as one. Read without torch."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.hardware import cores

LIFELINE, LISTENER = "BURNISH_LIFELINE", "BURNISH_LISTENER"  # descriptors that a rank inherits
GRACE = 15.0  # seconds that the others have to notice the end of one rank, before they are ended


@dataclass(frozen=True)
class Place:
    """Where a process stands among the ranks, as torchrun says it in the environment."""

    rank: int
    size: int
    local_rank: int
    beside: int  # ranks on this machine, this one included
    address: str
    port: int


def own_place(environment: Mapping[str, str] = os.environ) -> Place | None:
    """This process among the ranks; None when it is alone. Raises BurnishError: the variables make no sense."""
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    if not all(environment.get(name) for name in names):
        return None
    try:
        rank, size, port = (int(environment[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
        local_rank = int(environment.get("LOCAL_RANK", rank))
        beside = int(environment.get("LOCAL_WORLD_SIZE", size))
    except ValueError as error:
        raise BurnishError(
            "The environment's RANK, WORLD_SIZE or MASTER_PORT is no number.", seen=str(error)
        ) from error
    if not 0 <= rank < size:
        raise BurnishError("RANK must lie below WORLD_SIZE.", seen=f"RANK={rank}, WORLD_SIZE={size}")
    return Place(rank, size, local_rank, beside, environment["MASTER_ADDR"], port) if size > 1 else None


def is_first() -> bool:
    """Whether this process is the one that writes and speaks."""
    place = own_place()
    return place is None or place.rank == 0


def hold_lifeline() -> None:
    """Ends this process as soon as the one that started it is gone, however that went."""
    text = os.environ.get(LIFELINE)
    if text is None:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(int(text), 1)  # nothing is ever written: this returns when the other end is closed
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def run_ranks(size: int, arguments: Sequence[str]) -> int:
    """Runs `burnish ARGUMENTS` in `size` processes that train together, and returns the exit code of the whole.

    SIGTERM and Ctrl-C are passed on; when this process ends, so do they. Raises BurnishError: a rank was killed.
    """
    reading, writing = os.pipe()
    children: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0), backlog=max(128, size)) as listener, _passing_on(children):
        try:
            for rank in range(size):
                children.append(_start(rank, size, arguments, listener, reading))
            os.close(reading)
            listener.close()
            return _outcome(_wait(children))
        finally:
            for child in children:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            os.close(writing)


def _start(
    rank: int, size: int, arguments: Sequence[str], listener: socket.socket, lifeline: int
) -> subprocess.Popen[bytes]:
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    environment = {
        "OMP_NUM_THREADS": str(max(1, cores() // size)),
        "GLOO_SOCKET_IFNAME": loopback,
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(listener.getsockname()[1]),
        LIFELINE: str(lifeline),
    }
    inherited = [lifeline]
    if rank == 0:
        inherited.append(listener.fileno())
        environment[LISTENER] = str(listener.fileno())
    return subprocess.Popen(
        [sys.executable, "-m", "burnish", *arguments],
        env=environment,
        pass_fds=inherited,
        stdin=None if rank == 0 else subprocess.DEVNULL,
    )


@contextlib.contextmanager
def _passing_on(children: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    def pass_on(number: int, frame: Any) -> None:
        for child in children:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> list[tuple[int, int]]:
    """(rank, exit code) of the failed ones, the first to end first. Those left are ended after a while."""
    failed: dict[int, int] = {}
    first = 0.0
    while any(child.poll() is None for child in children):
        time.sleep(0.05)
        if failed and time.monotonic() - first > GRACE:
            for child in children:
                child.kill()
            break
        for rank, child in enumerate(children):
            code = child.poll()
            if code and rank not in failed:
                first = first if failed else time.monotonic()
                failed[rank] = code
    for rank, child in enumerate(children):
        if code := child.wait():
            failed.setdefault(rank, code)
    return list(failed.items())


def _outcome(failed: Sequence[tuple[int, int]]) -> int:
    """The code that says most: a rank that loses another one ends with 1, the one that had a reason does not."""
    if not failed:
        return 0
    rank, code = failed[0]
    if code < 0:
        raise BurnishError(
            f"Rank {rank} was ended by signal {-code} ({signal.Signals(-code).name}).",
            next_move="run the same command again to go on from the last saved step",
        )
    return next((code for _, code in failed if code > 1), code)
