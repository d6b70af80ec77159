"""Which rows and passages are tried, and in which order: a pure function of the seed and of what they are called."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeVar

from burnish.core.records import Row
from burnish.data.grow.documents import Passage
from burnish.data.grow.made import Kind
from burnish.data.grow.paraphrase import asked_text
from burnish.data.grow.rewrite import can_be_rewritten
from burnish.data.grow.settings import GrowSettings

TRIES = 3  # for each row that may be made: with a poor model two of three are rejected
Item = TypeVar("Item")


@dataclass(frozen=True)
class Task:
    """One thing to try: the `number`-th time (from 0) with this row or passage."""

    kind: Kind
    origin: Row | Passage
    number: int = 0

    def seed(self, seed: int) -> int:
        """A seed of its own that servers of all kinds take: 31 bits."""
        name = self.origin.id if not isinstance(self.origin, Passage) else f"{self.origin.source} {self.origin.text}"
        return _rank(f"{self.kind} {self.number} {name}", seed) >> 225


def tasks(rows: Iterable[Row], passages: Iterable[Passage], settings: GrowSettings, seed: int) -> list[Task]:
    """Every origin once before one is tried again, and the kinds in turn. At most three times `settings.most`.

    Only those that may be tried are kept in memory, however many rows there are.
    """
    most = TRIES * settings.most
    useful = (row for row in rows if _kinds(row, settings))
    chosen = _first(useful, lambda row: row.id, most, seed) if settings.paraphrase or settings.rewrite else []
    asked = _first(passages, lambda one: f"{one.source} {one.text}", most, seed) if settings.questions else []
    questions = [Task("question", passage) for passage in asked]
    first = [Task(kind, row) for row in chosen for kind in _kinds(row, settings)]
    again = (
        Task("paraphrase", row, number)
        for number in range(1, settings.paraphrase)
        for row in chosen
        if "paraphrase" in _kinds(row, settings)
    )
    return list(islice(chain(_in_turn(first, questions), again), most))


def _kinds(row: Row, settings: GrowSettings) -> list[Kind]:
    kinds: list[Kind] = []
    if settings.paraphrase and asked_text(row) is not None:
        kinds.append("paraphrase")
    if settings.rewrite and can_be_rewritten(row):
        kinds.append("rewrite")
    return kinds


def _first(items: Iterable[Item], name_of: Callable[[Item], str], count: int, seed: int) -> list[Item]:
    """A fair sample in a fair order."""
    ranked = ((_rank(name_of(item), seed), number, item) for number, item in enumerate(items))
    return [item for _, _, item in heapq.nsmallest(count, ranked)]


def _rank(name: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:grow:{name}".encode("utf-8", "surrogatepass")).digest())


def _in_turn(one: list[Task], other: list[Task]) -> Iterator[Task]:
    """Both lists shuffled into each other evenly, each in its order."""
    placed = [((at + 0.5) / len(tasks), task) for tasks in (one, other) for at, task in enumerate(tasks)]
    return (task for _, task in sorted(placed, key=lambda pair: pair[0]))
