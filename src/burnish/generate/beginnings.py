"""Beginnings that several requests have: found ahead among requests that are known, computed once."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.generate.cache import Run, new_store
from burnish.model.decoder import Decoder
from burnish.model.prefixes import Prefixes


@dataclass(eq=False)
class Beginning:
    """A run of tokens after its parent's, computed with the first request that starts under it. `users` still need it;
    nobody keeps its keys and values when there are none."""

    tokens: tuple[int, ...]
    start: int
    parent: Beginning | None
    users: int = 0
    run: Run | None = None

    @property
    def stop(self) -> int:
        return self.start + len(self.tokens)

    def open(self, decoder: Decoder) -> Run:
        """Its run, with an empty store. The parent must be open."""
        above: tuple[Run, ...] = ()
        if self.parent is not None:
            assert self.parent.run is not None
            above = (*self.parent.run.above, self.parent.run)
        self.run = Run(self.tokens, self.start, above, new_store(decoder, len(self.tokens)))
        return self.run

    def leave(self) -> None:
        """One user less."""
        self.users -= 1
        if not self.users:
            self.run = None


def beginnings(prefixes: Prefixes) -> list[tuple[Beginning, ...]]:
    """For each prompt its beginnings, root first."""
    made: list[Beginning] = []
    for run in prefixes.runs:
        made.append(Beginning(run.tokens, run.start, made[run.parent] if run.parent >= 0 else None))
    paths = [tuple(made[index] for index in path) for path in prefixes.paths]
    for path in paths:
        for one in path:
            one.users += 1
    return paths
