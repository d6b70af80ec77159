"""K4: full, read-only and broken disks; two processes on one run."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.crash.disk_full import Outcome, failing_calls, full_disk, no_inodes, read_only
from tests.crash.locks import hold_and_take
from tests.crash.small_disk import can_mount
from tests.crash.warm import in_warm_process

POSITIONS = 3  # the command tries 20


@pytest.fixture
def small_disks(scratch: Path) -> None:
    """Skips where no file system can be mounted. The tests with injected errors need none."""
    (scratch / "tried").mkdir()
    if not in_warm_process(can_mount, scratch, scratch / "tried"):
        pytest.skip("this machine allows no mount namespace: the tests on a small real disk are skipped")


def check_stopped(outcomes: list[Outcome]) -> None:
    """Every one that did not end stopped with 75, and went on to the same bytes once there was room."""
    for outcome in outcomes:
        assert outcome["code"] in (0, 75), outcome
        assert outcome["same"], outcome
        if outcome["code"] == 75:
            assert "disk is" in outcome["error"], outcome
            assert "run the same command again" in outcome["error"], outcome


@pytest.mark.usefixtures("small_disks")
def test_a_full_disk_stops_the_run_and_it_goes_on_when_there_is_room(tiny_folder: Path, scratch: Path) -> None:
    outcomes = in_warm_process(full_disk, scratch, scratch, tiny_folder, POSITIONS)
    check_stopped(outcomes)
    assert [outcome["code"] for outcome in outcomes].count(75) >= len(outcomes) - 2
    assert any(outcome["kept"] for outcome in outcomes)
    # No room at all is found by other files than checkpoints; the others say how much is needed.
    assert all("bytes are needed" in o["error"] for o in outcomes if o["code"] == 75 and o["position"] > 0)


@pytest.mark.usefixtures("small_disks")
def test_a_disk_without_inodes_stops_the_run_and_it_goes_on(tiny_folder: Path, scratch: Path) -> None:
    outcomes = in_warm_process(no_inodes, scratch, scratch, tiny_folder, POSITIONS)
    check_stopped(outcomes)
    assert any(outcome["code"] == 75 for outcome in outcomes)


@pytest.mark.usefixtures("small_disks")
def test_a_read_only_disk_is_named(tiny_folder: Path, scratch: Path) -> None:
    (outcome,) = in_warm_process(read_only, scratch, scratch, tiny_folder)
    assert outcome["code"] == 1
    assert "Cannot write here" in outcome["error"]
    assert outcome["same"]


@pytest.mark.parametrize(("error", "code"), [(errno.EIO, 1), (errno.ENOSPC, 75)], ids=["EIO", "ENOSPC"])
def test_a_disk_that_fails_at_any_moment_costs_nothing_saved(
    error: int, code: int, tiny_folder: Path, scratch: Path
) -> None:
    outcomes = in_warm_process(failing_calls, scratch, scratch, tiny_folder, error, 60)
    assert len(outcomes) >= 3
    assert {outcome["code"] for outcome in outcomes} == {code}
    assert all(outcome["same"] for outcome in outcomes)


def test_a_second_process_is_refused_and_a_killed_ones_run_is_taken_over(scratch: Path) -> None:
    assert in_warm_process(hold_and_take, scratch, scratch / "run", 20) == [20, 20]
