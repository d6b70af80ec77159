"""What the ranks of the tests of `world` do."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from burnish.core.errors import BurnishError
from burnish.core.pulse import start_pulse
from burnish.core.ranks import own_place
from burnish.core.world import World, open_store


def exchange(world: World) -> None:
    """Sums, gathers and gradients, each against what hand arithmetic gives."""
    assert world.sum({"a": world.rank + 1.0, "b": 0.5}) == {
        "a": world.size * (world.size + 1) / 2,
        "b": 0.5 * world.size,
    }
    assert world.any(world.rank == 1)
    assert not world.any(False)
    assert world.gather("é" * world.rank) == ["é" * rank for rank in range(world.size)]
    assert world.first(f"from {world.rank}") == "from 0"
    # Only rank 0 has a gradient of `one`; `two` has another dtype; `three` is touched by nobody.
    one, two, three = (torch.nn.Parameter(torch.zeros(3, 2, dtype=dtype))
                       for dtype in (torch.float32, torch.float64, torch.float64))  # fmt: skip
    one.grad = torch.full((3, 2), 5.0) if world.rank == 0 else None
    two.grad = torch.arange(6, dtype=torch.float64).view(3, 2) + world.rank
    world.sum_gradients([one, two, three])
    assert one.grad is not None
    assert torch.equal(one.grad, torch.full((3, 2), 5.0))
    ranks = world.size * (world.size - 1) / 2
    assert torch.equal(two.grad, world.size * torch.arange(6, dtype=torch.float64).view(3, 2) + ranks)
    assert torch.equal(three.grad, torch.zeros(3, 2, dtype=torch.float64))


def disagree(world: World) -> None:
    """All ranks hear that rank 1 holds something else."""
    world.agree("same", "plan")
    with pytest.raises(BurnishError, match="do not hold the same model") as caught:
        world.agree("other" if world.rank == 1 else "same", "model")
    assert caught.value.where == "rank 1"


def one_dies(world: World) -> None:
    """Rank 1 is killed; the others wait for it."""
    world.barrier()
    if world.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    world.barrier()


def one_stands_still(world: World, still: int, folder: Path) -> None:
    """One rank is stopped, as by a debugger; the other waits for it, and its patience is cut to two seconds."""
    place = own_place()
    assert place is not None
    with (folder / f"stderr-{world.rank}").open("w") as file:
        os.dup2(file.fileno(), 2)
    start_pulse(
        lambda: open_store(place, first=False, timeout=timedelta(seconds=1)), world.rank, world.size, silent=2.0
    )
    world.barrier()
    time.sleep(1.0)
    if world.rank == still:
        os.kill(os.getpid(), signal.SIGSTOP)
    world.barrier()
