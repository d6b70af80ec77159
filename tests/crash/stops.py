"""SIGTERM at random moments of training: it ends with 75, and nothing that was done is lost."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from burnish.core.files import read_jsonl
from burnish.train.checkpoint import newest_checkpoint
from tests.crash.kills import wait_for_lines
from tests.crash.kinds import Kind
from tests.crash.processes import end_of, kill, start
from tests.crash.trial import left, log_of, train_ranks


@dataclass
class Stops:
    """What SIGTERM did to one kind of training. `late`: it came after the last update, and the run just ended."""

    kind: Kind
    stops: int = 0
    late: int = 0
    faults: list[str] = field(default_factory=list)
    longest: float = 0.0  # seconds from the signal to the end

    def __str__(self) -> str:
        return (
            f"{self.kind!s:<18} {self.stops:>4} SIGTERMs, {self.late} too late: {len(self.faults)} faults, at most "
            f"{self.longest:.1f} s to the end"
        )


def stop_at_random(kind: Kind, stops: int, seed: int, scratch: Path, expected: dict[str, str]) -> Stops:
    """`stops` SIGTERMs to all ranks at once, each a random time after the first line of metrics of that start."""
    tally, dice = Stops(kind), random.Random(f"{seed} {kind}")
    folder, runs = scratch / "stopped-0", 0
    while tally.stops < stops:
        code = _stop_once(kind, folder, dice.uniform(0.0, 0.3), tally)
        if code == 75:
            tally.stops += 1
            _check_stopped(folder, tally)
        elif code == 0:
            tally.late += 1
            _check_done(folder, expected, tally)
            runs += 1
            folder = scratch / f"stopped-{runs}"
        elif code == -signal.SIGTERM and _all_is_saved(kind, folder):
            tally.late += 1  # the loop had let go of the signal, and the command line was not there to take it
        else:
            tally.stops += 1
            tally.faults.append(f"{folder}: exit {code}: {log_of(folder).read_text()[-500:]}")
            return tally
    if folder.exists():
        end_of(start(train_ranks, log_of(folder), kind, folder))
        _check_done(folder, expected, tally)
    return tally


def _stop_once(kind: Kind, folder: Path, delay: float, tally: Stops) -> int:
    process = start(train_ranks, log_of(folder), kind, folder)
    wait_for_lines(process, folder / "metrics.jsonl", 1)  # before the first update nobody listens yet
    process.join(delay)
    begun = time.monotonic()
    if process.exitcode is None:
        kill(process, signal.SIGTERM)
    code = end_of(process)
    tally.longest = max(tally.longest, time.monotonic() - begun)
    return code


def _all_is_saved(kind: Kind, folder: Path) -> bool:
    found = newest_checkpoint(folder / "checkpoints", lambda text: None)
    return found is not None and found.state["step"] == kind.steps


def _check_stopped(folder: Path, tally: Stops) -> None:
    found = newest_checkpoint(folder / "checkpoints", lambda text: None)
    steps = [line["step"] for line in read_jsonl(folder / "metrics.jsonl")]
    if found is None or steps != list(range(1, found.state["step"] + 1)):
        step = found and found.state["step"]
        tally.faults.append(f"{folder}: metrics hold {steps}, the newest checkpoint is {step}")


def _check_done(folder: Path, expected: dict[str, str], tally: Stops) -> None:
    found = left(folder)
    if found != expected:
        tally.faults.append(f"{folder}: what is left differs from the undisturbed run")
