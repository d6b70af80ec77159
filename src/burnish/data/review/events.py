"""What happened to rows, from dropped.jsonl, changed.jsonl and flagged.jsonl: counts, and a few of each to look at."""

from __future__ import annotations

import bisect
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError
from burnish.data.review.index import name_of

EXAMPLES = 5  # of each reason
Event = Mapping[str, Any]


@dataclass
class Events:
    """The records of one file while it is read: reason → how many, and the few that the seed draws of each."""

    counts: Counter[str] = field(default_factory=Counter)
    _drawn: dict[str, list[tuple[int, int, Event]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: Event, seed: int) -> None:
        """Counts a record and keeps it where it is among the first by chance."""
        reason = str(event["reason"])
        self.counts[reason] += 1
        drawn = self._drawn[reason]
        rank = (name_of(f"{event['source']} {event.get('path', '')}", seed), self.counts[reason])
        if len(drawn) < EXAMPLES or rank < drawn[-1][:2]:
            bisect.insort(drawn, (*rank, event), key=lambda entry: entry[:2])
            del drawn[EXAMPLES:]

    def examples(self, reason: str) -> list[Event]:
        """At most `EXAMPLES` records with this reason."""
        return [event for _, _, event in self._drawn[reason]]

    @property
    def reasons(self) -> list[str]:
        """All reasons, the commonest first."""
        return sorted(self.counts, key=lambda reason: (-self.counts[reason], reason))


def read_events(path: Path) -> Iterator[Event]:
    """The records of one file, which may be absent. Raises BurnishError: a line is damaged."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                event = json.loads(line)
                yield {**event, "source": str(event["source"]), "reason": sys.intern(str(event["reason"]))}
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise BurnishError(
                    f"Cannot read {path.name}.",
                    where=f"{path}:{number}",
                    seen=str(error),
                    next_move="run `burnish prepare` again, with --fresh",
                ) from error
