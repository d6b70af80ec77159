"""Streams for minutes: nothing fails, nothing is lost, no slot stays taken, memory is flat; above capacity requests are
turned away politely."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.load import Address, Answer, ask, figures, get
from tests.load.server import Running

LOOK_EVERY = 2.0  # seconds between two looks at memory
VANISH = 0.05  # share of clients that go away in the middle of an answer


@dataclass
class Held:
    """What came of it. `memory`: (seconds, MB)."""

    answers: list[Answer] = field(default_factory=list)
    vanished: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)

    def statuses(self) -> Counter[str]:
        return Counter(f"{one.status} {one.error[:60]}".strip() for one in self.answers)

    def lost(self) -> int:
        """Answers that came without an end, or with fewer pieces than they count."""
        return sum(one.status == 200 and (not one.finish or bool(one.error)) for one in self.answers)

    def slope(self) -> float:
        """MB a minute over the second half, when all that is kept has been filled."""
        half = self.memory[len(self.memory) // 2 :]
        seconds, megabytes = np.array(half).T
        return float(60 * np.polyfit(seconds, megabytes, 1)[0]) if len(half) > 2 else 0.0


def body(rng: random.Random, model: str, tokens: int) -> dict[str, Any]:
    """A request of chance: one of a few system prompts, a text of its own, drawn at temperature 1 half of the time."""
    words = " ".join(f"{rng.choice('abcdefgh')}{rng.randrange(100)}" for _ in range(rng.randrange(5, 60)))
    system = f"You are helper number {rng.randrange(4)}. " + "Answer at length and in whole sentences. " * 12
    turns = [{"role": "system", "content": system}] if rng.random() < 0.7 else []
    return {"model": model, "messages": [*turns, {"role": "user", "content": f"Tell me all about {words}."}],
            "max_tokens": rng.randrange(1, tokens), "temperature": rng.choice([0, 1]), "seed": rng.randrange(99),
            "stream": True, "stream_options": {"include_usage": True}}  # fmt: skip


async def hold(running: Running, *, model: str, streams: int, seconds: float, tokens: int = 64, seed: int = 0) -> Held:
    """Keeps so many streams open for so long."""
    held, started = Held(), time.monotonic()

    async def work(number: int) -> None:
        rng = random.Random(seed * 1000 + number)
        while time.monotonic() - started < seconds:
            asked = body(rng, model, tokens)
            if rng.random() < VANISH:
                await _vanish(running.address, asked, rng.random())
                held.vanished += 1
            else:
                held.answers.append(await ask(running.address, asked))

    async def watch() -> None:
        while time.monotonic() - started < seconds:
            held.memory.append((time.monotonic() - started, running.memory_mb()))
            await asyncio.sleep(LOOK_EVERY)

    await asyncio.gather(watch(), *(work(number) for number in range(streams)))
    return held


async def _vanish(address: Address, asked: dict[str, Any], after: float) -> None:
    task = asyncio.create_task(ask(address, asked))
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def at_rest(address: Address, within: float = 5.0) -> bool:
    """Whether the server says soon that nothing is at work any more."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        page = (await get(address, "/metrics")).text
        loads = [line for line in page.splitlines() if line.startswith("burnish_answers_in_work")]
        if loads and all(float(line.rsplit(" ", 1)[1]) == 0 for line in loads):
            return True
        await asyncio.sleep(0.1)
    return False


async def overrun(address: Address, *, model: str, count: int, seed: int = 0) -> list[Answer]:
    """So many requests at the same moment."""
    rng = random.Random(seed)
    return list(await asyncio.gather(*(ask(address, body(rng, model, 16)) for _ in range(count))))


def told(held: Held, seconds: float) -> Sequence[str]:
    """Lines for the results."""
    one = figures(held.answers, seconds)
    return [
        f"{len(held.answers)} answers, {held.vanished} clients gone in the middle, {dict(held.statuses())}",
        f"lost or broken: {held.lost()}; {one.tokens} tokens, {one.tokens_per_s:.0f} a second;"
        f" first after {one.first_median:.2f} s (p95 {one.first_p95:.2f})",
        f"memory {held.memory[0][1]:.0f} MB at first, {max(mb for _, mb in held.memory):.0f} at most,"
        f" {held.memory[-1][1]:.0f} at the end; {held.slope():+.2f} MB a minute over the second half",
    ]
