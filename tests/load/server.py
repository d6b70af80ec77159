"""`burnish serve` as a process of its own, as a person starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Address, get
from burnish.deploy.loopback import free_port

KEY = "a-key-for-tests-that-is-long-enough-0123456789"
READY_WITHIN = 90.0  # seconds, on a machine that has other work


@dataclass(frozen=True)
class Running:
    """Where it listens, and its process."""

    address: Address
    process: subprocess.Popen[bytes]

    def memory_mb(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def serving(arguments: Sequence[str | Path], folder: Path, threads: int = 1) -> Iterator[Running]:
    """A server with these arguments, ready, ended afterwards. What it printed is in `folder`/serve.log."""
    port = free_port()
    command = [sys.executable, "-m", "burnish", "serve", *map(str, arguments), "--port", str(port)]
    environment = {**os.environ, "BURNISH_API_KEY": KEY, "OMP_NUM_THREADS": str(threads)}
    log = folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT)
    running = Running(Address(port, KEY), process)
    try:
        _wait(running, log)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(running: Running, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and running.process.poll() is None:
        if asyncio.run(get(running.address, "/health")).status == 200:
            return
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()[-2000:]}")
