"""Checkpoints that are whole or absent: temporary folder, fsync, manifest with hashes, rename.

A reader accepts only what verifies; otherwise it names the bad file and takes the next older one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from burnish.core.errors import BurnishError
from burnish.core.files import check_room, disk_errors, read_json, sha256_of_file, sync, write_json, write_pieces
from burnish.train.guard import NotFinite, first_not_finite
from burnish.train.tensor_file import tensor_pieces

WEIGHTS, OPTIMISER, STATE, MANIFEST = "weights.safetensors", "optimiser.safetensors", "state.json", "manifest.json"
ROOM = 1.5  # free space asked for, in sizes of the checkpoint
OVERHEAD = 2**16  # bytes of headers, state.json and manifest.json


@dataclass(frozen=True)
class Checkpoint:
    """What training needs to go on: what trains, the optimiser's moments, and a small state (step, best, …)."""

    weights: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    state: dict[str, Any]


def step_folder(folder: Path, step: int) -> Path:
    return folder / f"{step:06d}"


def size_of(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of the tensors themselves."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def room_needed(tensors: Iterable[Tensor]) -> int:
    """Free bytes to ask for before a checkpoint of these tensors is written."""
    return int(ROOM * (OVERHEAD + sum(tensor.numel() * tensor.element_size() for tensor in tensors)))


def save_checkpoint(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Writes checkpoints/000120/. After a crash at any moment the folder is whole or not there.

    Raises NotFinite: a tensor holds NaN or infinity; Stopped: the disk is full. Neither leaves anything behind.
    """
    if name := first_not_finite({**checkpoint.weights, **checkpoint.optimiser}):
        raise NotFinite(
            f"`{name}` is not finite after step {step}; this step is not saved.",
            next_move="lower train.learning_rate; the same command goes on from the checkpoint before",
        )
    needed = room_needed([*checkpoint.weights.values(), *checkpoint.optimiser.values()])
    check_room(folder, needed)
    final = step_folder(folder, step)
    temporary = folder / f"{final.name}.tmp-{os.getpid()}"
    with disk_errors(final, needed):
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            hashes = {
                name: write_pieces(temporary / name, tensor_pieces(tensors), size_of(tensors))
                for name, tensors in ((WEIGHTS, checkpoint.weights), (OPTIMISER, checkpoint.optimiser))
            }
            write_json(temporary / STATE, checkpoint.state)
            hashes[STATE] = sha256_of_file(temporary / STATE)
            write_json(temporary / MANIFEST, hashes)
            sync(temporary)
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
            sync(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return final


def bad_file(folder: Path) -> str | None:
    """The name of the first file that is missing or not what the manifest says; None when all is well."""
    try:
        hashes = read_json(folder / MANIFEST)
    except BurnishError:
        return MANIFEST
    if not isinstance(hashes, dict) or set(hashes) != {WEIGHTS, OPTIMISER, STATE}:
        return MANIFEST
    for name, expected in hashes.items():
        if not (folder / name).is_file() or sha256_of_file(folder / name) != expected:
            return str(name)
    return None


def read_checkpoint(folder: Path) -> Checkpoint:
    """The inverse of `save_checkpoint`. Raises BurnishError: a file is missing or damaged; NotFinite: as it says."""
    return Checkpoint(read_weights(folder), _finite(folder, OPTIMISER), read_json(folder / STATE))


def read_weights(folder: Path) -> dict[str, Tensor]:
    """What trained, without the optimiser's moments. Raises as `read_checkpoint`."""
    if name := bad_file(folder):
        raise BurnishError("This checkpoint is damaged.", where=str(folder / name), next_move="use an older one")
    return _finite(folder, WEIGHTS)


def _finite(folder: Path, name: str) -> dict[str, Tensor]:
    """A file's tensors, which lie in the file until they are read."""
    tensors: dict[str, Tensor] = load_file(folder / name)
    if bad := first_not_finite(tensors):
        raise NotFinite("This checkpoint holds values that are not finite.", where=str(folder), seen=bad,
                        next_move="use an older one")  # fmt: skip
    return tensors


def newest_checkpoint(folder: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The newest one that verifies. Each bad one is named; none is used."""
    for step in sorted(steps_in(folder), reverse=True):
        candidate = step_folder(folder, step)
        if name := bad_file(candidate):
            say(f"checkpoint {candidate.name} is damaged ({name}); taking an older one")
            continue
        try:
            return read_checkpoint(candidate)
        except NotFinite as error:
            say(f"checkpoint {candidate.name} is not finite ({error.seen}); taking an older one")
    return None


def steps_in(folder: Path) -> list[int]:
    """The steps that have a folder, whole or damaged, in ascending order."""
    return sorted(int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit())


def good_before(folder: Path, step: int) -> int | None:
    """The last step before this one whose checkpoint verifies."""
    earlier = (one for one in reversed(steps_in(folder)) if one < step)
    return next((one for one in earlier if bad_file(step_folder(folder, one)) is None), None)


def forget_half_written(folder: Path) -> None:
    """Deletes what saves that were killed left behind."""
    for path in folder.glob("*.tmp-*"):
        shutil.rmtree(path, ignore_errors=True)


def forget_all_but(folder: Path, steps: set[int | None]) -> None:
    """Deletes older checkpoints and what a crash left half-written."""
    keep = {step_folder(folder, step).name for step in steps if step}
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
