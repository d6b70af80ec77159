"""Lines of a suite: numbered, with the right choices spread evenly over the places."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Line: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A beginning with its right continuation and three wrong ones."""

    kind: str
    prompt: str
    right: str
    wrong: Sequence[str]


def pairs(table: str) -> list[tuple[str, str]]:
    """ "a: b; c: d" as [("a", "b"), ("c", "d")]; line ends are spaces."""
    parts = (entry.split(":", 1) for entry in " ".join(table.split()).strip("; ").split(";"))
    return [(key.strip(), value.strip()) for key, value in parts]


def names(table: str, between: str = ";") -> list[str]:
    """ "a; b" as ["a", "b"]."""
    return [entry.strip() for entry in " ".join(table.split()).split(between) if entry.strip()]


def rows(table: str) -> list[list[str]]:
    """A line an item, its fields between bars."""
    return [[field.strip() for field in line.split("|")] for line in table.strip().splitlines()]


def others(
    rng: random.Random, right: str, pool: Iterable[str], count: int = 3, *, barred: Iterable[str] = ()
) -> list[str]:
    """Wrong choices of the same sort: drawn from the pool, none twice, none the right one or barred."""
    left = sorted(set(pool) - {right, *barred})
    return rng.sample(left, count)


def related(
    rng: random.Random, kind: str, template: str, table: Mapping[str, str] | Sequence[tuple[str, str]]
) -> list[Ask]:
    """An item for each pair of a relation; the wrong choices are right for other keys of the table."""
    entries = list(table.items()) if isinstance(table, Mapping) else list(table)
    pool = [value for _, value in entries]
    return [Ask(kind, template.format(key), value, others(rng, value, pool)) for key, value in entries]


def numbered(prefix: str, asks: Sequence[Ask], first: int = 1) -> list[Line]:
    """Lines of a choice suite. Each run of four items has its right choices at four places."""
    rng = random.Random(f"places of {prefix}")
    lines, places = [], list(range(4))
    for offset, ask in enumerate(asks):
        if offset % 4 == 0:
            rng.shuffle(places)
        choices = list(ask.wrong)
        rng.shuffle(choices)
        choices.insert(places[offset % 4], ask.right)
        check(ask, choices)
        place = places[offset % 4]
        line = {"id": f"{prefix}-{first + offset:03d}", "kind": ask.kind, "prompt": ask.prompt, "choices": choices}
        lines.append({**line, "answer": place})
    return lines


def check(ask: Ask, choices: Sequence[str]) -> None:
    """Raises ValueError: not four different choices."""
    if len(choices) != 4 or len(set(choices)) != 4:
        raise ValueError(f"not four different choices: {ask}")


def once(asks: Iterable[Ask]) -> list[Ask]:
    """The first item of each prompt: draws from small tables repeat now and then."""
    kept: dict[str, Ask] = {}
    for ask in asks:
        kept.setdefault(ask.prompt, ask)
    return list(kept.values())
