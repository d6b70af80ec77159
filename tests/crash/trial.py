"""One trial: a training in a process of its own, and what it leaves, to be compared byte by byte."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from burnish.core.run_folder import RunFolder
from burnish.core.world import join_world
from burnish.train.checkpoint import newest_checkpoint, step_folder
from tests.crash.kinds import FINAL, Kind, train_kind
from tests.crash.processes import fork_ranks, run

Objective = Callable[[int], Any]  # rank → an objective


def train_ranks(kind: Kind, folder: Path, objective: Objective | None = None) -> None:
    """All ranks of a kind, in this process and forks of it."""
    if kind.ranks == 1:
        _rank(kind, folder, objective, 0)
    else:
        fork_ranks(kind.ranks, partial(_rank, kind, folder, objective), log_of(folder))


def _rank(kind: Kind, folder: Path, objective: Objective | None, rank: int) -> None:
    world = join_world()
    with log_of(folder).open("a") as log:
        made = objective(rank) if objective else None
        train_kind(kind, folder, world, lambda text: print(f"rank {rank}:", text, file=log, flush=True), made)
    world.leave()


def log_of(folder: Path) -> Path:
    """What the trial said, beside its folder."""
    return folder.with_suffix(".log")


def left(folder: Path) -> dict[str, str]:
    """Name → hash of what must not depend on any crash: metrics, final weights, newest and best checkpoint."""
    run_folder = RunFolder(folder)
    newest = newest_checkpoint(run_folder.checkpoints, lambda text: None)
    assert newest is not None
    steps = {newest.state["step"], newest.state["best_step"]}
    files = [run_folder.metrics, folder / FINAL]
    for step in sorted(steps):
        files += sorted(step_folder(run_folder.checkpoints, step).iterdir())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@dataclass(frozen=True)
class Undisturbed:
    """What a kind leaves when nothing happens, and how long that takes."""

    left: dict[str, str]
    seconds: float


def undisturbed(kind: Kind, folder: Path) -> Undisturbed:
    """A run of a kind to which nothing happens."""
    begun = time.monotonic()
    found = finish(kind, folder)
    return Undisturbed(found, time.monotonic() - begun)


def finish(kind: Kind, folder: Path) -> dict[str, str]:
    """Goes on in a folder to the end, and what that left."""
    code = run(train_ranks, log_of(folder), kind, folder)
    assert code == 0, log_of(folder).read_text()
    return left(folder)
