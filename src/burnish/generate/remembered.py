"""What was read and written before, so that a request that begins alike need not be read anew.

A conversation whose request ends leaves its keys and values here, under the adapter that computed them. The next one
that begins with the same tokens copies them into its slot. A beginning that is met again and again, such as one system
prompt, is attended to where it lies: then it is there once, however many read it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from burnish.generate.cache import Run, Store

LEAST = 32  # tokens: fewer are read as fast as they are looked for and copied
IN_PLACE = 128  # tokens from which a beginning that is met again is worth a run of its own in every pass

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What need not be computed of a prompt: whole runs, and after them a store to copy, which may be empty."""

    above: tuple[Run, ...]
    store: Store | None
    tokens: int  # how many of the prompt's first tokens are in both together


@dataclass(eq=False)
class _Entry:
    """A conversation: all its tokens, and the run that holds the last part of them."""

    adapter: str
    ids: Ids
    run: Run
    met: dict[int, int] = field(default_factory=dict)  # length of a beginning → how often it was found
    views: dict[int, Run] = field(default_factory=dict)  # beginnings that are attended to where they lie


class Memory:
    """Conversations of at most `tokens` tokens together; the ones not met for longest go first."""

    def __init__(self, tokens: int) -> None:
        self.limit = tokens
        self.held = 0
        self._entries: OrderedDict[int, _Entry] = OrderedDict()  # the least recently met first
        self._made = 0

    def find(self, ids: Ids, adapter: str) -> Known | None:
        """The longest beginning that is known, always without the prompt's last token."""
        best, longest = None, LEAST - 1
        for number, entry in self._entries.items():
            if entry.adapter == adapter:
                alike = common(entry.ids, ids[:-1])
                if alike > longest or (alike == longest and alike in entry.views):
                    best, longest = number, alike
        if best is None:
            return None
        self._entries.move_to_end(best)
        return _known(self._entries[best], longest)

    def keep(self, tokens: Sequence[int], adapter: str, above: tuple[Run, ...], store: Store) -> None:
        """Remembers a conversation. `store` holds, in memory that may change, what comes after the runs above."""
        ids = np.asarray(tokens, dtype=np.int64)
        start = above[-1].stop if above else 0
        own = len(ids) - start
        if own < LEAST or own > self.limit:
            return
        for number, entry in list(self._entries.items()):
            if entry.adapter == adapter and entry.run.start == start:
                alike = common(entry.ids, ids)
                if alike == len(ids):
                    self._entries.move_to_end(number)
                    return
                if alike == len(entry.ids) and not entry.views:
                    self._forget(number)
        run = Run(tuple(tokens[start:]), start, above, store.part(slice(own)).copy(), adapter)
        self._made += 1
        self._entries[self._made] = _Entry(adapter, ids, run)
        self.held += own
        while self.held > self.limit:
            self._forget(next(iter(self._entries)))

    def forget(self, adapter: str) -> None:
        """All conversations of an adapter that goes."""
        for number in [number for number, entry in self._entries.items() if entry.adapter == adapter]:
            self._forget(number)

    def _forget(self, number: int) -> None:
        """With the conversations that go on from it, which would keep its memory."""
        entry = self._entries.pop(number)
        self.held -= len(entry.run.tokens)
        for view in entry.views.values():
            for other in [other for other, one in self._entries.items() if view in one.run.above]:
                if other in self._entries:
                    self._forget(other)


def common(one: Ids, other: Ids) -> int:
    """How many first tokens are the same."""
    length = min(len(one), len(other))
    different = np.flatnonzero(one[:length] != other[:length])
    return int(different[0]) if len(different) else length


def _known(entry: _Entry, tokens: int) -> Known:
    path = (*entry.run.above, entry.run)
    above = tuple(run for run in path if run.stop <= tokens and run is not entry.run)
    start = above[-1].stop if above else 0
    if start == tokens:
        return Known(above, None, tokens)
    holder = path[len(above)]
    assert holder.store is not None
    if holder is entry.run and tokens - start >= IN_PLACE:
        entry.met[tokens] = entry.met.get(tokens, 0) + 1
        if entry.met[tokens] > 1:
            if tokens not in entry.views:
                part = slice(tokens - start)
                store = holder.store.part(part)
                entry.views[tokens] = Run(holder.tokens[part], start, above, store, entry.adapter)
            return Known((*above, entry.views[tokens]), None, tokens)
    return Known(above, holder.store.part(slice(tokens - start)), tokens)
