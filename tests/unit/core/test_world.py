from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from burnish.core.world import World, compute_dtype, single_world
from tests.ranks import run_ranks, start_ranks
from tests.unit.core import world_jobs


def test_one_process_is_a_world_of_one() -> None:
    world = single_world()
    assert (world.rank, world.size) == (0, 1)
    assert world.sum({"answer": 0.1, "pairs": 3}) == {"answer": 0.1, "pairs": 3}
    parameter = torch.nn.Parameter(torch.ones(2))
    world.sum_gradients([parameter])
    assert torch.equal(parameter.grad, torch.zeros(2))  # what no row touched counts as zero, as among several ranks
    assert world.gather("é") == ["é"]
    assert not world.any(False)
    world.barrier()


def test_a_dtype_is_the_one_asked_for() -> None:
    cpu = torch.device("cpu")
    assert compute_dtype("float32", cpu) == torch.float32
    assert compute_dtype("bfloat16", cpu) == torch.bfloat16
    assert compute_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    assert World(0, 1, cpu).device == cpu


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_add_gather_and_agree(tmp_path: Path, size: int) -> None:
    assert run_ranks(size, tmp_path, world_jobs.exchange) == [""] * size
    assert run_ranks(size, tmp_path, world_jobs.disagree) == [""] * size


def test_a_rank_that_dies_ends_the_others_at_once_and_with_a_message(tmp_path: Path) -> None:
    started = time.monotonic()
    first, second, third = run_ranks(3, tmp_path, world_jobs.one_dies)
    assert time.monotonic() - started < 30
    assert second == "no answer, exit code -9"
    assert first.startswith("RankLost (1): Rank 0 lost another rank.")
    assert third.startswith("RankLost (1): Rank 2 lost another rank.")


@pytest.mark.parametrize("still", [0, 1])
def test_a_rank_that_stands_still_is_named_and_the_others_end(tmp_path: Path, still: int) -> None:
    ranks = start_ranks(2, tmp_path, world_jobs.one_stands_still, still, tmp_path)
    other = ranks.processes[1 - still]
    other.join(30)
    ranks.processes[still].kill()
    assert other.exitcode == 1
    said = (tmp_path / f"stderr-{1 - still}").read_text()
    assert f"error: rank {still} has not answered for 2 s; rank {1 - still} stops." in said
