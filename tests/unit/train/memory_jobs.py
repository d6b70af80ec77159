"""Training under a limit on memory, in a process of its own."""

from __future__ import annotations

import contextlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.core.world import World
from tests.unit.train.conftest import TinyRun, make_tiny

LONG = {f"{number}: say it": " ".join(["the sky is blue"] * (8 + number % 24)) for number in range(64)}
ROOM = 40 * 2**20


@contextlib.contextmanager
def room_of(size: int) -> Iterator[None]:
    """Only so many further bytes may be taken."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def tiny(folder: Path, name: str, tokens_per_pass: int) -> TinyRun:
    """All 64 rows in an update."""
    return make_tiny(folder, name, answers=LONG, rows_per_update=64, tokens_per_pass=tokens_per_pass, steps=1)


def refused(run: TinyRun, room: int) -> BurnishError:
    """The error of a run that finds no room."""
    with room_of(room), pytest.raises(BurnishError, match="not enough memory for the largest pass") as caught:
        run.train()
    assert caught.value.exit_code == 1
    assert not run.run.metrics.exists()
    assert not run.run.checkpoints.exists()
    return caught.value


def refuse_then_fit(world: World, folder: Path) -> None:
    """What the message names works under the same limit."""
    tiny(folder, "warm", 200).train()  # sets up the threads, and all code is loaded
    error = refused(tiny(folder, "large", 100_000), ROOM)
    named = re.search(r"--set train\.tokens_per_pass=(\d+)$", error.next_move)
    assert named is not None, error.next_move
    assert 64 <= int(named[1]) < 8000
    with room_of(ROOM):
        tiny(folder, "large", int(named[1])).train()


def refuse_all(world: World, folder: Path) -> None:
    """Room for hardly a row: another length of passes is not what is missing."""
    error = refused(tiny(folder, "large", 100_000), 2**16)
    assert "more memory" in error.next_move or "leave out rows" in error.next_move, error.next_move
