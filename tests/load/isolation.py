"""Requests to eight adapters, their base and names that nobody has, interleaved, while adapters are reloaded under the
same names, taken away and brought back. Every answer must be that of the adapter that the name stood for."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load import Address, ask
from tests.load.ground import TOKENS, Ground

AWAY_EVERY = 7  # reloads: each seventh takes the name away first


@dataclass
class Name:
    """What a name may stand for at this moment: versions of its adapter; None is nothing (404)."""

    now: set[int | None]
    watchers: dict[int, set[int | None]] = field(default_factory=dict)  # of requests that are under way, by id

    def become(self, *versions: int | None) -> None:
        self.now = set(versions)
        for seen in self.watchers.values():
            seen |= self.now


@dataclass
class Report:
    """How often what was found. Wrong are those that must never be."""

    found: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def interleave(
    address: Address, ground: Ground, *, base: str, requests: int, reloads: int, streams: int, seed: int = 0
) -> Report:
    """The adapters must be loaded, in version 0, under their own names."""
    rng, report = random.Random(seed), Report()
    names = {name: Name({0}) for name in ground.names}
    turns = iter(range(requests))
    every = max(1, requests // max(1, reloads))

    async def work() -> None:
        for turn in turns:
            if reloads and turn % every == every - 1:
                await _reload(address, ground, names, rng, report)
            await _one(address, ground, names, base, rng, report)

    await asyncio.gather(*(work() for _ in range(streams)))
    return report


async def _one(
    address: Address, ground: Ground, names: dict[str, Name], base: str, rng: random.Random, report: Report
) -> None:
    number = rng.randrange(len(ground.prompts))
    model = rng.choice([*names, *names, base, "nobody"])
    body: dict[str, Any] = {
        "model": model,
        "messages": [message.to_json() for message in ground.prompts[number]],
        "max_tokens": TOKENS,
        "temperature": 0,
    }
    if rng.random() < 0.5:
        body["stream"] = True
    seen: set[int | None] = set(names[model].now) if model in names else {0}
    if model in names:
        names[model].watchers[id(seen)] = seen
    answer = await ask(address, body)
    if model in names:
        del names[model].watchers[id(seen)]
    key = "" if model == base else model
    right = {ground.expected[(key, version), number] for version in seen if version is not None} \
        if model != "nobody" else set()  # fmt: skip
    if answer.status == 404 and (model == "nobody" or None in seen):
        report.found["404 where there is none"] += 1
    elif answer.status == 200 and not answer.error and answer.text in right:
        report.found["right"] += 1
    else:
        whose = [who for (who, at), text in ground.expected.items() if at == number and text == answer.text]
        report.wrong.append(f"{model} {seen}: {answer.status} {answer.error} {answer.text!r}, which is of {whose}")


async def _reload(address: Address, ground: Ground, names: dict[str, Name], rng: random.Random, report: Report) -> None:
    """Another version under the same name, at times after a while without any."""
    free = [name for name, one in names.items() if len(one.now) == 1 and None not in one.now]
    if not free:
        return
    name = rng.choice(free)
    (before,) = names[name].now
    after = 1 - (before or 0)
    if report.found["reloads"] % AWAY_EVERY == AWAY_EVERY - 1:
        names[name].become(before, None)
        gone = await ask(address, {"lora_name": name}, path="/v1/unload_lora_adapter")
        if gone.status != 200:
            report.wrong.append(f"unloading {name}: {gone.status} {gone.error}")
        names[name].become(None)
        await asyncio.sleep(0.05)
        before = None
    names[name].become(before, after)
    body = {"lora_name": name, "lora_path": str(ground.folder(name, after)), "load_inplace": True}
    loaded = await ask(address, body, path="/v1/load_lora_adapter")
    if loaded.status != 200:
        report.wrong.append(f"loading {name}: {loaded.status} {loaded.error}")
    names[name].become(after)
    report.found["reloads"] += 1
