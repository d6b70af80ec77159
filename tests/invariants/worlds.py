"""Real processes that train together over gloo. One warm server imports torch once and forks every rank."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import torch

from burnish.core.world import World

SECONDS = 60  # no job here takes longer than a few


def in_world(size: int, job: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Runs job(world, *arguments) in `size` processes. Results by rank: plain values or numpy arrays.

    `job` stands at the top of a module. Raises RuntimeError with the message of the first rank that failed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.invariants.jobs"])
    with tempfile.TemporaryDirectory() as folder:
        pipes = [context.Pipe(duplex=False) for _ in range(size)]
        ranks = [
            context.Process(target=_rank, args=(f"{folder}/store", rank, size, pipes[rank][1], job, arguments))
            for rank in range(size)
        ]
        for process in ranks:
            process.start()
        results = [pipe.recv() if pipe.poll(SECONDS) else ("was not heard of", None) for pipe, _ in pipes]
        for process in ranks:
            process.join(SECONDS)
    troubles = [f"rank {rank} {trouble}" for rank, (trouble, _) in enumerate(results) if trouble]
    if troubles:
        raise RuntimeError("; ".join(troubles))
    return [value for _, value in results]


def _rank(store: str, rank: int, size: int, pipe: Connection, job: Callable[..., Any], arguments: tuple[Any]) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    try:
        if size > 1:
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{store}", rank=rank, world_size=size, timeout=timedelta(seconds=SECONDS)
            )
        pipe.send(("", job(World(rank, size, torch.device("cpu")), *arguments)))
    except Exception as error:  # whatever it was, the test must hear of it
        pipe.send((f"failed: {type(error).__name__}: {error}", None))
    finally:
        if size > 1 and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
