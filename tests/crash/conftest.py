"""Folders for crash trials, in memory where there is such a place: a killed process needs no real disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.kinds import Kind
from tests.crash.trial import Undisturbed, undisturbed


@pytest.fixture(scope="session")
def memory() -> Iterator[Path]:
    """A folder for the whole session."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="burnish-crash-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture
def scratch(memory: Path) -> Iterator[Path]:
    """A folder for one test."""
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


class Expected:
    """What each kind leaves undisturbed, found out once."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[Kind, Undisturbed] = {}

    def __call__(self, kind: Kind) -> Undisturbed:
        if kind not in self._known:
            self._known[kind] = undisturbed(kind, self._memory / f"expected-{len(self._known)}")
        return self._known[kind]


@pytest.fixture(scope="session")
def expected_of(memory: Path) -> Expected:
    """Asks for what a kind leaves when nothing happens to it."""
    return Expected(memory)
