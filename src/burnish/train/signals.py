"""Ctrl-C and SIGTERM ask the loop to save and stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ECHO = 1.0  # seconds: a terminal and a launcher may both pass on the same Ctrl-C


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Yields whether a stop was asked for. A second signal, a second or more later, stops at once."""
    asked: float | None = None

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked is None:
            asked = time.monotonic()
        elif time.monotonic() - asked > ECHO:
            raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: somebody else's program owns the signals
        before = {}
    try:
        yield lambda: asked is not None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
