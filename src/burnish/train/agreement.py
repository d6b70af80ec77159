"""Whether all ranks hold the same: at the start, and at every measurement on dev."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import Tensor, nn

from burnish.core.files import sha256_of_json
from burnish.core.world import World
from burnish.train.rules import Plan
from burnish.train.work import Progress, Row, Rows


def check_same_start(
    world: World,
    model: nn.Module,
    parameters: Mapping[str, nn.Parameter],
    rows: Rows[Row],
    plan: Plan,
    progress: Progress,
) -> None:
    """Raises BurnishError where ranks differ in plan, data, frozen weights or in what trains."""
    if world.size == 1:
        return
    world.agree(sha256_of_json([asdict(plan), vars(progress)]), "plan")
    world.agree(sha256_of_json(list(rows.sources)), "training data")
    frozen = {
        name: weight for name, weight in (*model.named_parameters(), *model.named_buffers()) if name not in parameters
    }
    # Sums will do for what was read from one file: hashing every byte of a large base would take as long as reading it.
    sums = {
        name: [float(weight.detach().sum(dtype=torch.float64)), str(weight.dtype)] for name, weight in frozen.items()
    }
    world.agree(sha256_of_json(sums), "model")
    check_same_weights(world, parameters)


def check_same_weights(world: World, parameters: Mapping[str, nn.Parameter]) -> None:
    """Raises BurnishError where what trains is not the same on all ranks, to the last bit."""
    if world.size > 1:
        world.agree(hash_of_tensors(parameters), "trained weights")


def hash_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Hex digest of names and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode("utf-8"))
        digest.update(tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
