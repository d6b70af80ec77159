"""What requests of ill will cost those who ask for sense, and how soon a client that vanishes is forgotten."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks.load import Address, ask, get
from tests.bad_inputs.requests import FIELDS, RAW
from tests.bad_inputs.requests import KEY as WRITTEN_KEY
from tests.load.server import Running

PATIENCE = 3.0  # seconds for an answer; the server itself waits 30 for a body
OTHERS, ABUSERS = 4, 4
GONE = 20  # clients that vanish
MOST_MB, MOST_TIMES, MOST_SECONDS = 64.0, 2.0, 1.0
NAME = "model"  # what the requests call it


@dataclass
class Abused:
    """Seconds that others waited without and with abuse beside them; MB; seconds until a slot was free again."""

    quiet: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    failed: Counter[int] = field(default_factory=Counter)  # statuses of others that are not 200
    statuses: Counter[int] = field(default_factory=Counter)  # of the abuse; 0 where the connection was closed
    grown_once: float = 0.0  # after each request once
    grown: float = 0.0
    freed: list[float] = field(default_factory=list)

    def times(self) -> float:
        """The others' p95 beside abuse against that without."""
        return float(np.percentile(self.beside, 95) / np.percentile(self.quiet, 95))

    def good(self) -> bool:
        in_time = self.times() <= MOST_TIMES and max(self.freed) <= MOST_SECONDS
        refused = not self.failed and all(status < 500 for status in self.statuses)
        return in_time and refused and max(self.grown_once, self.grown) <= MOST_MB

    def told(self) -> Iterator[str]:
        """Lines for the results."""
        before, after = (float(np.percentile(waits, 95)) for waits in (self.quiet, self.beside))
        yield f"{sum(self.statuses.values())} requests of ill will: {dict(sorted(self.statuses.items()))}"
        yield f"memory {self.grown_once:+.1f} MB after each of them once, {self.grown:+.1f} at the end"
        yield (f"others: p95 {before:.3f} s alone ({len(self.quiet)} answers), {after:.3f} beside ({len(self.beside)}),"
               f" {self.times():.2f} times; refused or failed: {dict(self.failed)}")  # fmt: skip
        yield f"{len(self.freed)} clients vanished: free again after {max(self.freed):.2f} s at most"


def requests(address: Address) -> list[bytes]:
    """Those of `tests.bad_inputs`, for this server and with its key."""
    key, port = address.key.encode(), str(address.port).encode()
    return [raw.replace(WRITTEN_KEY.encode(), key).replace(b"{port}", port) for raw, _ in (RAW | FIELDS).values()]


async def abuse(running: Running, *, seconds: float) -> Abused:
    """So long without abuse, then so long with it, then clients that go away in the middle of an answer."""
    found, address = Abused(), running.address
    async with _others(address, [], found):  # until all that is kept has been filled
        await asyncio.sleep(seconds / 4)
    async with _others(address, found.quiet, found):
        await asyncio.sleep(seconds)
    before, raw = running.memory_mb(), requests(address)
    async with _others(address, found.beside, found):
        found.statuses.update(await asyncio.gather(*(_send(address, one) for one in raw)))
        found.grown_once = running.memory_mb() - before
        until, turns = time.monotonic() + seconds, cycle(raw)
        await asyncio.gather(*(_abuse(address, turns, until, found) for _ in range(ABUSERS)))
    found.grown = running.memory_mb() - before
    for _ in range(GONE):
        found.freed.append(await _vanish(address))
    return found


@asynccontextmanager
async def _others(address: Address, waits: list[float], found: Abused) -> AsyncIterator[None]:
    """Clients that ask for a few words, one after another, as long as the block lasts."""

    async def work() -> None:
        while True:
            started = time.perf_counter()
            answer = await ask(address, _body("Say a few words.", 8))
            waits.append(time.perf_counter() - started)
            if answer.status != 200:
                found.failed[answer.status] += 1

    tasks = [asyncio.create_task(work()) for _ in range(OTHERS)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _body(text: str, tokens: int) -> dict[str, Any]:
    return {"model": NAME, "messages": [{"role": "user", "content": text}], "max_tokens": tokens, "stream": True,
            "temperature": 0}  # fmt: skip


async def _abuse(address: Address, turns: Iterator[bytes], until: float, found: Abused) -> None:
    for raw in turns:
        if time.monotonic() >= until:
            return
        found.statuses[await _send(address, raw)] += 1


async def _send(address: Address, raw: bytes) -> int:
    """The status of the answer; 0 where the connection was closed without one, or was left for too long."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                with suppress(ConnectionError):  # it stopped reading, and may have said why
                    writer.write(raw)
                    await writer.drain()
                return _status(await reader.read(64))
            finally:
                writer.close()
    return 0


def _status(head: bytes) -> int:
    parts: Sequence[bytes] = head.split(b" ", 2)
    return int(parts[1]) if head.startswith(b"HTTP/") and len(parts) > 1 else 0


async def _vanish(address: Address) -> float:
    """Seconds from a client's end in the middle of a long answer until nothing is at work."""
    task = asyncio.create_task(ask(address, _body("Tell me all about rivers, at great length.", 1000)))
    while not await at_work(address):
        if task.done():
            raise AssertionError(f"the answer was over before its client could vanish: {task.result()}")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    started = time.perf_counter()
    while await at_work(address):
        await asyncio.sleep(0.01)
    return time.perf_counter() - started


async def at_work(address: Address) -> float:
    """Answers at work or waiting, as /metrics says."""
    page = (await get(address, "/metrics")).text
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("burnish_answers_in_work")
    )
