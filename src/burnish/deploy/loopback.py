"""A server that is started only to be asked: on the loopback address, with a key, ended with all its processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from burnish.core.errors import BurnishError, ParityError

START_S, ANSWER_S, END_S = 900, 600, 20
MOST_BYTES = 256 * 2**20  # of one response: log-probabilities of some ten thousand tokens


@dataclass(frozen=True)
class Served:
    """A running server and the key that it wants."""

    port: int
    key: str

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request, GET without a body. Raises BurnishError: refused, or no answer in JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            connection.request(
                "GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers
            )
            response = connection.getresponse()
            content = response.read(MOST_BYTES)
            if response.status != 200:
                raise BurnishError(f"The engine refuses {path}.", seen=f"{response.status}: {content[:300]!r}")
            return json.loads(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BurnishError(f"The engine does not answer {path}.", seen=str(error)[:300]) from error
        finally:
            connection.close()


@contextmanager
def served(
    engine: str, command: Sequence[str], environment: Mapping[str, str], port: int, key: str, ready: str
) -> Iterator[Served]:
    """Starts a server and waits until it answers GET `ready`; ends it with the block.

    Raises ParityError: it ends by itself or does not start.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environment), start_new_session=True
        )
        try:
            server = Served(port, key)
            _wait(engine, child, server, ready, log)
            yield server
        finally:
            _end(child)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(engine: str, child: subprocess.Popen[bytes], server: Served, ready: str, log: IO[str]) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_S:
        if child.poll() is not None:
            raise ParityError(f"{engine} ends as it starts.", seen=f"exit code {child.returncode}: {_last_error(log)}")
        try:
            server.ask(ready)
            return
        except BurnishError:
            time.sleep(0.5)
    raise ParityError(f"{engine} does not start.", seen=f"nothing within {START_S} s: {_last_error(log)}")


def _last_error(log: IO[str]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log if line.strip()]
    errors = [line for line in lines if "Error" in line or "error:" in line]
    return (errors or lines or [""])[-1][:300]


def _end(child: subprocess.Popen[bytes]) -> None:
    """The whole group: engines start processes of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_S)
