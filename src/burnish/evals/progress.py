"""Plain lines about how far a long count is and how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_SECONDS = 10.0
EARLY = 0.1  # before a tenth is done, shared beginnings weigh too much for a guess


def ticker(say: Callable[[str], None], what: str, total: int, done: int = 0) -> Callable[[int], None]:
    """A function to be told the count so far. It says a line at most every ten seconds, and one at the end.

    `done` of `total` were finished before the clock started.
    """
    started = last = time.monotonic()
    ended = False

    def tick(count: int) -> None:
        nonlocal last, ended
        now = time.monotonic()
        if count >= total and not ended:
            ended = True
            say(f"{what}: {total} of {total}, {_span(now - started)}")
        elif not ended and now - last >= EVERY_SECONDS and count > done:
            last = now
            left = (now - started) / (count - done) * (total - count)
            known = count - done >= EARLY * (total - done)
            say(f"{what}: {count} of {total}" + (f", about {_span(left)} left" if known else ""))

    return tick


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
