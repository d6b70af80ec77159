"""A heartbeat among ranks. A rank that died or stands still is named within a minute, and the others end.

A time limit on each exchange would not do: an honest rank may compute for many minutes between two of them.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

BEAT = 2.0  # seconds between two beats
SILENT = 40.0  # seconds without a beat after which a rank counts as lost
LEFT = "left"


class Store(Protocol):
    """Where ranks leave short texts for one another."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...


@dataclass(frozen=True)
class Pulse:
    """What the beating and the watching thread of this rank share. `heard`: rank → when it was last heard."""

    rank: int
    size: int
    silent: float
    heard: dict[int, float]
    stopped: threading.Event

    def stop(self) -> None:
        """Says that this rank leaves in good order."""
        self.stopped.set()


def start_pulse(open_store: Callable[[], Store], rank: int, size: int, *, silent: float = SILENT) -> Pulse:
    """Beats and listens, with a connection of its own. A rank that is lost ends this process with a message."""
    pulse = Pulse(rank, size, silent, dict.fromkeys(range(size), time.monotonic()), threading.Event())
    store = open_store()
    threading.Thread(target=_beat, args=(pulse, store), name="beat", daemon=True).start()
    # A thread of its own: an exchange with a process that stands still may never return.
    threading.Thread(target=_watch, args=(pulse,), name="watch", daemon=True).start()
    return pulse


def _beat(pulse: Pulse, store: Store) -> None:
    others = [rank for rank in range(pulse.size) if rank != pulse.rank]
    last = dict.fromkeys(others, b"")
    count = 0
    try:
        while not pulse.stopped.wait(min(BEAT, pulse.silent / 4)):
            count += 1
            store.set(_key(pulse.rank), str(count))
            for other in others:
                text = store.get(_key(other))
                if text != last[other] or text == LEFT.encode():
                    last[other], pulse.heard[other] = text, time.monotonic()
        store.set(_key(pulse.rank), LEFT)
    except RuntimeError:
        return  # the store is gone with rank 0 or torchrun: if that was not in good order, the watch will tell


def _watch(pulse: Pulse) -> None:
    while not pulse.stopped.wait(min(BEAT, pulse.silent / 4)):
        silence = {rank: time.monotonic() - heard for rank, heard in pulse.heard.items() if rank != pulse.rank}
        # Where the store itself stands still nobody is heard; it lives with the first rank.
        lost = [rank for rank in sorted(silence) if silence[rank] > pulse.silent]
        if lost:
            _end(pulse.rank, lost[0], pulse.silent)


def _key(rank: int) -> str:
    return f"beat/{rank}"


def _end(rank: int, lost: int, silent: float) -> None:
    sys.stderr.write(
        f"error: rank {lost} has not answered for {silent:.0f} s; rank {rank} stops.\n"
        "  next:  run the same command again to go on from the last saved step\n"
    )
    sys.stderr.flush()
    os._exit(1)  # the main thread waits for the lost rank in a place that no exception reaches
