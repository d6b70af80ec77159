"""K1: SIGKILL at random moments, restart, until done; what is left must equal the undisturbed run byte for byte."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.crash.kinds import Kind
from tests.crash.processes import LONGEST, kill, run, start
from tests.crash.trial import Undisturbed, left, log_of, train_ranks

BEFORE, INSIDE, BETWEEN = "before the first checkpoint", "inside a save", "between saves"


@dataclass
class Tally:
    """What happened to one kind of training."""

    kind: Kind
    runs: int = 0
    different: list[str] = field(default_factory=list)
    moments: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        return sum(self.moments.values())

    def __str__(self) -> str:
        moments = ", ".join(f"{self.moments[name]} {name}" for name in (BEFORE, INSIDE, BETWEEN))
        equal = f"{self.runs - len(self.different)} of {self.runs} runs byte-equal"
        return f"{self.kind!s:<18} {self.kills:>4} kills ({moments}): {equal}, {self.seconds:.0f} s"


def moment(folder: Path) -> str:
    """Where a training stood when it was killed, from what it left."""
    names = [path.name for path in (folder / "checkpoints").glob("*")]
    if any(not name.isdigit() for name in names):
        return INSIDE
    return BETWEEN if names else BEFORE


def killed_until_done(kind: Kind, folder: Path, dice: random.Random, update: float, tally: Tally, most: int) -> None:
    """Kills one training again and again, at most `most` times, and then lets it end.

    Each kill waits for a random number of new lines of metrics, so that it hits whatever the machine's load, and then
    for up to twice the `update` seconds of a step with its share of saves.
    """
    for _ in range(most):
        process = start(train_ranks, log_of(folder), kind, folder)
        wait_for_lines(process, folder / "metrics.jsonl", dice.randrange(kind.steps * 2 // 3))
        process.join(dice.uniform(0.0, 2 * update))
        if process.exitcode is not None:
            break
        kill(process)
        tally.moments[moment(folder)] += 1
    code = process.exitcode if process.exitcode is not None and process.exitcode >= 0 else None
    if code is None:
        code = run(train_ranks, log_of(folder), kind, folder)
    if code:
        raise AssertionError(f"{kind}: a run ended with {code}\n{log_of(folder).read_text()[-2000:]}")


def wait_for_lines(process: ForkServerProcess, path: Path, new: int) -> None:
    """Until the file has so many more lines, or the process has ended. Raises TimeoutError: it hangs."""
    wanted, until = lines_in(path) + new, time.monotonic() + LONGEST
    while process.exitcode is None and lines_in(path) < wanted:
        if time.monotonic() > until:
            kill(process)
            raise TimeoutError(f"no new line in {path} for {LONGEST:.0f} s")
        time.sleep(0.002)


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_at_random(kind: Kind, kills: int, seed: int, scratch: Path, whole: Undisturbed) -> Tally:
    """`kills` SIGKILLs to the process group, over as many runs of this kind as that takes."""
    tally, dice = Tally(kind), random.Random(f"{seed} {kind}")
    started, expected, update = time.monotonic(), whole.left, whole.seconds / kind.steps
    while tally.kills < kills:
        folder = scratch / f"run-{tally.runs}"
        killed_until_done(kind, folder, dice, update, tally, kills - tally.kills)
        tally.runs += 1
        found = left(folder)
        if found != expected:
            names = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
            tally.different.append(f"{folder}: {', '.join(names)}")
    tally.seconds = time.monotonic() - started
    return tally


def shares(kills: int, kinds: Sequence[Kind]) -> list[int]:
    """The kills in equal parts; the first kinds get the rest."""
    return [kills // len(kinds) + (at < kills % len(kinds)) for at in range(len(kinds))]
