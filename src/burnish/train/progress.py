"""What a person sees while training runs: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

LINE_EVERY = 15.0  # seconds between two plain lines

Report = Callable[[int, str], None]


@contextmanager
def training_progress(total: int, done: int, say: Callable[[str], None]) -> Iterator[Report]:
    """Yields report(step, text)."""
    started = time.monotonic()

    def left(step: int) -> str:
        rate = (time.monotonic() - started) / max(1, step - done)
        return duration(rate * (total - step))

    if sys.stdout.isatty():
        columns = (TextColumn("training"), BarColumn(), TextColumn("{task.completed}/{task.total} {task.description}"))
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done)
            yield lambda step, text: bar.update(task, completed=step, description=f"{text}, {left(step)} left")
        return
    last = started

    def report(step: int, text: str) -> None:
        nonlocal last
        if step == total or time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            say(f"  step {step}/{total}  {text}, {left(step)} left")

    yield report


def duration(seconds: float) -> str:
    """'45 s', '3 min 20 s', '2 h 5 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
