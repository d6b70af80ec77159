from __future__ import annotations

import torch

from burnish.core.world import World, compute_dtype, single_world


def test_one_process_is_a_world_of_one() -> None:
    world = single_world()
    assert (world.rank, world.size) == (0, 1)
    assert world.sum({"answer": 0.1, "pairs": 3}) == {"answer": 0.1, "pairs": 3}
    parameter = torch.nn.Parameter(torch.ones(2))
    world.sum_gradients([parameter])
    assert parameter.grad is None
    world.barrier()


def test_a_dtype_is_the_one_asked_for() -> None:
    cpu = torch.device("cpu")
    assert compute_dtype("float32", cpu) == torch.float32
    assert compute_dtype("bfloat16", cpu) == torch.bfloat16
    assert compute_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    assert World(0, 1, cpu).device == cpu
