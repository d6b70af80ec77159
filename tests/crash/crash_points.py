"""K2: SIGKILL before every single change that a save makes on disk, and in the middle of every write."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from burnish.core.world import single_world
from burnish.train.checkpoint import newest_checkpoint, read_checkpoint, step_folder
from tests.crash.disk_calls import Call, seen
from tests.crash.kinds import Kind, train_kind
from tests.crash.processes import run
from tests.crash.trial import finish, log_of, train_ranks


@dataclass(frozen=True)
class Point:
    """Before change number `at` of a run, or half-way through it."""

    at: int
    half: bool
    call: str


def changes(kind: Kind, folder: Path) -> list[Call]:
    """Every change that a run of one rank makes in its folder."""
    found: list[Call] = []
    with seen(found.append):
        train_kind(kind, folder, single_world(), lambda text: None)
    return [call for call in found if call.path.is_relative_to(folder)]


def points_of_saves(kind: Kind, folder: Path, saves: range) -> list[Point]:
    """Every point from the first change of the first of these saves to the first change after the last one."""
    calls = changes(kind, folder)
    checkpoints = folder / "checkpoints"
    lines = (folder, folder / "metrics.jsonl")  # what a save makes safe before it begins

    def is_of_save(call: Call) -> bool:
        return call.path.is_relative_to(checkpoints) or (call.name == "fsync" and call.path in lines)

    starts = [at for at, call in enumerate(calls) if is_of_save(call) and not is_of_save(calls[at - 1])]
    ends = [
        next((at for at in range(start, len(calls)) if not is_of_save(calls[at])), len(calls) - 1) for start in starts
    ]
    numbers = range(starts[saves[0]], ends[saves[-1]] + 1)
    whole = [Point(at, False, f"{calls[at].name} {calls[at].path.name}") for at in numbers]
    half = [Point(at, True, f"half of {calls[at].name} {calls[at].path.name}") for at in numbers if calls[at].data]
    return sorted(whole + half, key=lambda point: (point.at, point.half))


def crash_at(kind: Kind, folder: Path, point: Point) -> None:
    """Trains until the point, in a process of its own, which is killed there."""
    code = run(_train_until, log_of(folder), kind, folder, point)
    assert code == -signal.SIGKILL, f"{point} was not reached (exit {code})\n{log_of(folder).read_text()}"


def _train_until(kind: Kind, folder: Path, point: Point) -> None:
    count = 0

    def before(call: Call) -> None:
        nonlocal count
        if not call.path.is_relative_to(folder):
            return
        if count == point.at:
            if point.half:
                io.FileIO(call.path, "ab").write(call.data[: len(call.data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    with seen(before):
        train_ranks(kind, folder)


def newest_step(folder: Path) -> int | None:
    """The step that a reader would go on from; all it may see is read, none of it may fail."""
    found = newest_checkpoint(folder / "checkpoints", lambda text: None)
    if found is None:
        return None
    assert read_checkpoint(step_folder(folder / "checkpoints", found.state["step"])).state == found.state
    return int(found.state["step"])


def state_of(folder: Path) -> str:
    """Hash of all that is in a folder, with the process's number taken out of the names."""
    whole = hashlib.sha256()
    names = {re.sub(r"tmp-\d+|\.\d+\.tmp", "tmp", str(path.relative_to(folder))): path for path in folder.rglob("*")}
    for name in sorted(names):
        # timings differ from run to run and are outside every claim
        if names[name].is_file() and "timings" not in name:
            whole.update(name.encode() + hashlib.sha256(names[name].read_bytes()).digest())
        elif names[name].is_dir():
            whole.update(name.encode() + b"/")
    return whole.hexdigest()


@dataclass
class Outcome:
    """What the crash points of a few saves came to."""

    points: int
    states: int
    faults: list[str]


def try_points(kind: Kind, points: list[Point], expected: dict[str, str], scratch: Path) -> Outcome:
    """Crashes at each point, reads, and goes on to the end once for each different state of the disk.

    After the first save has been whole once, every later reader must find a checkpoint, never an older one.
    """
    outcome, tried, whole = Outcome(len(points), 0, []), set(), 0
    for number, point in enumerate(points):
        folder = scratch / f"point-{number}"
        crash_at(kind, folder, point)
        newest = newest_step(folder) or 0
        if newest < whole:
            outcome.faults.append(f"{point}: the reader finds step {newest} after step {whole} was saved")
        whole = max(whole, newest)
        state = state_of(folder)
        if state in tried:
            continue
        tried.add(state)
        if finish(kind, folder) != expected:
            outcome.faults.append(f"{point}: the run that went on differs")
    outcome.states = len(tried)
    return outcome
