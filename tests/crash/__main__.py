"""The crash tests at full size. Each option may be left out; without any, all of them run at their sizes here.

    python -m tests.crash                    everything: about 20 minutes on two cores
    python -m tests.crash --kills 500        SIGKILL at random, over all kinds of training
    python -m tests.crash --points           a crash before, and in the middle of, each change on disk of two saves
    python -m tests.crash --stops 100        SIGTERM at random
    python -m tests.crash --disk 20          a full disk at 20 positions, no inodes, errors at every change on disk
    python -m tests.crash --ranks            a rank of the real command line is killed, or stands still
    python -m tests.crash --locks 100        a second process on the same run, and what a killed one leaves

Each line is one kind of training and what became of it. The exit code is 1 when anything differs.
"""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.crash.crash_points import points_of_saves, try_points
from tests.crash.disk_full import Outcome, failing_calls, full_disk, no_inodes, read_only
from tests.crash.kills import kill_at_random, shares
from tests.crash.kinds import KINDS
from tests.crash.launcher import lose_a_rank
from tests.crash.locks import hold_and_take
from tests.crash.stops import stop_at_random
from tests.crash.trial import undisturbed
from tests.crash.warm import in_warm_process
from tests.tiny import write_model

ALL = {"kills": 500, "stops": 100, "disk": 20, "locks": 100}


def say(text: str) -> None:
    print(text, flush=True)


def kills(number: int, seed: int, scratch: Path) -> int:
    done = different = 0
    for at, (kind, share) in enumerate(zip(KINDS, shares(number, KINDS), strict=True)):
        folder = _folder(scratch, f"kills-{at}")
        tally = kill_at_random(kind, share, seed, folder, undisturbed(kind, folder / "undisturbed"))
        say(str(tally))
        done, different = done + tally.kills, different + len(tally.different)
        for line in tally.different:
            say(f"  DIFFERENT {line}")
    say(f"total: {done} kills, {different} runs that differ from the undisturbed one")
    return different


def points(scratch: Path) -> int:
    faults = 0
    for at, kind in enumerate(kind for kind in KINDS if kind.ranks == 1):
        quick, folder = replace(kind, steps=3, save_every=1), _folder(scratch, f"points-{at}")
        expected = undisturbed(quick, folder / "undisturbed").left
        outcome = try_points(quick, points_of_saves(quick, folder / "whole", range(2)), expected, folder)
        tried = f"{outcome.points} crash points, {outcome.states} different disks"
        say(f"{kind!s:<18} {tried}: {len(outcome.faults)} faults")
        faults += _report(outcome.faults)
    return faults


def stops(number: int, seed: int, scratch: Path) -> int:
    faults = 0
    for at, (kind, share) in enumerate(zip(KINDS, shares(number, KINDS), strict=True)):
        folder = _folder(scratch, f"stops-{at}")
        tally = stop_at_random(kind, share, seed, folder, undisturbed(kind, folder / "undisturbed").left)
        say(str(tally))
        faults += _report(tally.faults)
    return faults


def disk(positions: int, scratch: Path) -> int:
    model = write_model(scratch / "model")

    def outcomes(name: str, work: Callable[..., list[Outcome]], *arguments: object) -> int:
        folder = _folder(scratch, name.replace(" ", "-"))
        found: list[Outcome] = in_warm_process(work, folder, folder, model, *arguments)
        bad = [outcome for outcome in found if outcome["code"] not in (0, 1, 75) or not outcome["same"]]
        codes = ", ".join(f"{[o['code'] for o in found].count(code)} with {code}" for code in (0, 1, 75))
        say(f"{name:<18} {len(found)} runs ended {codes}; all but {len(bad)} went on to the same bytes")
        return _report([str(outcome) for outcome in bad])

    return (
        outcomes("full disk", full_disk, positions)
        + outcomes("no inodes", no_inodes, positions)
        + outcomes("read-only disk", read_only)
        + outcomes("ENOSPC anywhere", failing_calls, errno.ENOSPC, 3)
        + outcomes("EIO anywhere", failing_calls, errno.EIO, 3)
    )


def ranks(scratch: Path) -> int:
    model, faults = write_model(scratch / "ranks-model"), 0
    for number in (signal.SIGKILL, signal.SIGSTOP):
        lost = lose_a_rank(scratch / f"lost-{number.name}", model, number)
        say(str(lost))
        faults += not lost.good
    return faults


def locks(number: int, scratch: Path) -> int:
    refused: int
    taken: int
    refused, taken = in_warm_process(hold_and_take, _folder(scratch, "locks"), scratch / "locks" / "run", number)
    say(f"second process refused {refused} of {number} times, a killed one's run taken over {taken} of {number} times")
    return 2 * number - refused - taken


def _folder(scratch: Path, name: str) -> Path:
    (scratch / name).mkdir()
    return scratch / name


def _report(faults: list[str]) -> int:
    for fault in faults:
        say(f"  FAULT {fault}")
    return len(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ALL:
        parser.add_argument(f"--{name}", type=int, metavar="N")
    for name in ("points", "ranks"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    chosen = vars(parser.parse_args())
    seed = chosen.pop("seed")
    if not any(chosen.values()):
        chosen = {**ALL, "points": True, "ranks": True}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="burnish-crash-") as folder:
        scratch = Path(folder)
        undisturbed(KINDS[0], scratch / "warm")  # the first one waits for torch
        steps: dict[str, Callable[[], int]] = {
            "kills": lambda: kills(chosen["kills"], seed, scratch),
            "points": lambda: points(scratch),
            "stops": lambda: stops(chosen["stops"], seed, scratch),
            "disk": lambda: disk(chosen["disk"], scratch),
            "ranks": lambda: ranks(scratch),
            "locks": lambda: locks(chosen["locks"], scratch),
        }
        faults = sum(step() for name, step in steps.items() if chosen[name])
    say(f"{faults} faults, {time.monotonic() - begun:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
