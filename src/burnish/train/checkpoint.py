"""Checkpoints that are whole or absent: temporary folder, fsync, manifest with hashes, rename.

A reader accepts only what verifies; otherwise it names the bad file and takes the next older one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from burnish.core.errors import BurnishError
from burnish.core.files import disk_errors, read_json, sha256_of_file, write_bytes, write_json

WEIGHTS, OPTIMISER, STATE, MANIFEST = "weights.safetensors", "optimiser.safetensors", "state.json", "manifest.json"


@dataclass(frozen=True)
class Checkpoint:
    """What training needs to go on: what trains, the optimiser's moments, and a small state (step, best, …)."""

    weights: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    state: dict[str, Any]


def step_folder(folder: Path, step: int) -> Path:
    return folder / f"{step:06d}"


def save_checkpoint(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Writes checkpoints/000120/. After a crash at any moment the folder is whole or not there."""
    final = step_folder(folder, step)
    temporary = folder / f"{final.name}.tmp-{os.getpid()}"
    with disk_errors(final):
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            write_bytes(temporary / WEIGHTS, save(_plain(checkpoint.weights)))
            write_bytes(temporary / OPTIMISER, save(_plain(checkpoint.optimiser)))
            write_json(temporary / STATE, checkpoint.state)
            hashes = {name: sha256_of_file(temporary / name) for name in (WEIGHTS, OPTIMISER, STATE)}
            write_json(temporary / MANIFEST, hashes)
            _sync_folder(temporary)
            shutil.rmtree(final, ignore_errors=True)
            temporary.rename(final)
            _sync_folder(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return final


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
    """The inverse of `save_checkpoint`. Raises BurnishError: a file is missing or damaged."""
    if name := bad_file(folder):
        raise BurnishError("This checkpoint is damaged.", where=str(folder / name), next_move="use an older one")
    return Checkpoint(
        weights=load((folder / WEIGHTS).read_bytes()),
        optimiser=load((folder / OPTIMISER).read_bytes()),
        state=read_json(folder / STATE),
    )


def newest_checkpoint(folder: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The newest one that verifies. Each bad one is named; none is used."""
    found = (path for path in folder.glob("[0-9]*") if path.name.isdigit())
    for candidate in sorted(found, key=lambda path: int(path.name), reverse=True):
        if name := bad_file(candidate):
            say(f"checkpoint {candidate.name} is damaged ({name}); taking an older one")
            continue
        return read_checkpoint(candidate)
    return None


def forget_all_but(folder: Path, steps: set[int]) -> None:
    """Deletes older checkpoints and what a crash left half-written."""
    keep = {step_folder(folder, step).name for step in steps}
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
