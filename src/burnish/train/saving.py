"""What lies on the disk while training runs: checkpoints, and the lines of metrics that belong to them.

Rank 0 alone writes; all ranks read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from burnish.core.errors import BurnishError
from burnish.core.files import disk_errors, sync, write_bytes
from burnish.core.hardware import return_free_memory
from burnish.core.run_folder import RunFolder
from burnish.train import checkpoint as checkpoints
from burnish.train.optimiser import AdamW, optimiser_tensors, restore_optimiser
from burnish.train.work import Progress

LONGEST_UNSAVED = 60.0  # seconds of work that a crash may cost where the recipe does not say otherwise


def save(run: RunFolder, parameters: Mapping[str, nn.Parameter], optimiser: AdamW, progress: Progress) -> None:
    """Writes a checkpoint, and forgets older ones when it verifies: this one, the one before and the best stay."""
    with disk_errors(run.metrics):
        run.checkpoints.mkdir(exist_ok=True)
        sync(run.metrics)  # a checkpoint never outlives the lines that belong to it
        sync(run.path)  # the names of both
    made = checkpoints.Checkpoint(dict(parameters), optimiser_tensors(optimiser), vars(progress))
    before = checkpoints.good_before(run.checkpoints, progress.step)
    folder = checkpoints.save_checkpoint(run.checkpoints, progress.step, made)
    if name := checkpoints.bad_file(folder):
        raise BurnishError(
            "A checkpoint does not hold what was written into it.",
            where=str(folder / name),
            next_move="check the disk; the older checkpoints were kept, and the same command goes on from them",
        )
    checkpoints.forget_all_but(run.checkpoints, {progress.step, progress.best_step, before})


def resume(
    run: RunFolder,
    parameters: Mapping[str, nn.Parameter],
    optimiser: AdamW,
    say: Callable[[str], None],
) -> Progress:
    """Where the newest good checkpoint left off, with its weights and moments; the start where there is none.

    Raises BurnishError: there are checkpoints, and none of them is good. To begin again is not ours to decide.
    """
    found = checkpoints.newest_checkpoint(run.checkpoints, say) if run.checkpoints.is_dir() else None
    if found is None and (damaged := checkpoints.steps_in(run.checkpoints)):
        bad = [checkpoints.bad_file(checkpoints.step_folder(run.checkpoints, step)) for step in damaged]
        raise BurnishError(
            "Every checkpoint of this run is damaged.",
            where=str(run.checkpoints),
            seen=", ".join(f"{step:06d}/{name or 'not finite'}" for step, name in zip(damaged, bad, strict=True)),
            next_move="bring one back from a backup, or train again from the start with --fresh",
        )
    if found is None:
        return Progress()
    fill(parameters, found.weights)
    restore_optimiser(optimiser, found.optimiser)
    progress = Progress(**{**found.state, "history": [(int(s), float(v)) for s, v in found.state["history"]]})
    best = progress.best_step
    if best and (name := checkpoints.bad_file(checkpoints.step_folder(run.checkpoints, best))):
        say(f"the best checkpoint, {best:06d}, is damaged ({name}); {progress.step:06d} takes its place")
        progress.best_step, progress.best_loss = progress.step, dict(progress.history).get(progress.step)
    say(f"going on after step {progress.step}")
    return progress


def take_best(run: RunFolder, parameters: Mapping[str, nn.Parameter], progress: Progress) -> None:
    """Leaves the weights that were best on dev in the network."""
    return_free_memory()  # or the file's pages come on top of what the last pass needed
    fill(parameters, checkpoints.read_weights(checkpoints.step_folder(run.checkpoints, progress.best_step)))


@torch.no_grad()
def fill(parameters: Mapping[str, nn.Parameter], tensors: Mapping[str, Tensor]) -> None:
    """Copies tensors into the parameters of the same names."""
    for name, parameter in parameters.items():
        parameter.copy_(tensors[name])


def cut_lines(path: Path, step: int) -> None:
    """Drops the lines of steps that the checkpoint does not know of: they will be done again."""
    if path.exists():
        kept = [line for line in path.read_bytes().split(b"\n") if line and _step_of(line) <= step]
        content = b"".join(line + b"\n" for line in kept)
        if content != path.read_bytes():
            write_bytes(path, content)


def _step_of(line: bytes) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # a line that a crash cut short
        return float("inf")
