"""K2: crash at every change on disk that a save makes, and loss of power after every one of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.conftest import Expected
from tests.crash.crash_points import points_of_saves, try_points
from tests.crash.disk_calls import Call
from tests.crash.kinds import Kind
from tests.crash.power_loss import Disk, contents
from tests.crash.power_states import State, changes_of_saves, states_after_loss

QUICK = Kind(steps=3, save_every=1)
EACH = 6  # CI tries every sixth point of a save; python -m tests.crash --points tries all, of every kind


def test_after_a_crash_at_any_point_of_a_save_the_run_goes_on_to_the_same_bytes(
    scratch: Path, expected_of: Expected
) -> None:
    points = points_of_saves(QUICK, scratch / "whole", range(2))
    assert len(points) > 60
    outcome = try_points(QUICK, points[::EACH], expected_of(QUICK).left, scratch)
    assert outcome.faults == []
    assert outcome.states >= 6


@pytest.fixture(scope="module")
def states(memory: Path) -> list[State]:
    """What a reader finds on the disk after a loss of power at any moment of four steps and two saves."""
    root = memory / "power"
    return list(states_after_loss(root, changes_of_saves(root), seed=0, more=12))


def test_many_different_disks_are_tried(states: list[State]) -> None:
    assert len(states) > 300
    assert {state.found for state in states} >= {2, 4}


def test_a_loss_of_power_costs_no_checkpoint_that_was_saved(states: list[State]) -> None:
    assert [str(state) for state in states if state.found < state.saved] == []


def test_no_checkpoint_outlives_the_lines_of_metrics_that_belong_to_it(states: list[State]) -> None:
    assert [str(state) for state in states if state.lines != list(range(1, state.found + 1))] == []


def test_the_model_of_a_disk_loses_what_was_not_synced() -> None:
    """The oracle itself: a file's bytes need fsync of the file, its name fsync of the folder."""
    root = Path("/disk")
    disk, dice = Disk(root), random.Random(0)
    disk.do(Call("create", root / "file"))
    disk.do(Call("write", root / "file", data=b"bytes"))
    found = list(contents(disk, dice, more=0))
    assert all(content in found for content in ({}, {"file": b""}, {"file": b"by"}, {"file": b"bytes"}))
    disk.do(Call("fsync", root / "file"))
    assert {"file": b"by"} not in list(contents(disk, dice, more=0))
    disk.do(Call("fsync", root))
    assert list(contents(disk, dice, more=0)) == [{"file": b"bytes"}] * 4
    disk.do(Call("rename", root / "file", to=root / "other"))
    found = list(contents(disk, dice, more=0))
    assert all(content in ({"file": b"bytes"}, {"other": b"bytes"}) for content in found)
    assert {"file": b"bytes"} in found
