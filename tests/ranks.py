"""Real processes that join a world as torchrun's do. One warm server imports torch once and forks every rank."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import torch

from burnish.core.errors import BurnishError
from burnish.core.world import World, join_world

SECONDS = 60.0  # no job here takes longer than a few
Job = Callable[..., None]  # job(world, *arguments)


@dataclass(frozen=True)
class Ranks:
    """The processes, and the file that each leaves its error in."""

    processes: Sequence[ForkServerProcess]
    errors: Sequence[Path]

    def wait(self) -> list[str]:
        """The errors by rank, "" where there was none."""
        for process in self.processes:
            process.join(SECONDS)
            assert process.exitcode is not None, "a rank hangs"
        return [path.read_text() if path.exists() else f"no answer, exit code {process.exitcode}"
                for path, process in zip(self.errors, self.processes, strict=True)]  # fmt: skip


def start_ranks(size: int, folder: Path, job: Job, *arguments: Any) -> Ranks:
    """Starts job(world, *arguments) in `size` processes. `job` stands at the top of a module."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.unit.train.conftest", "tests.ranks"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    errors = [folder / f"rank-{rank}-of-{size}.error" for rank in range(size)]
    for path in errors:
        path.unlink(missing_ok=True)
    processes = [
        context.Process(target=_rank, args=(rank, size, port, errors[rank], job, arguments), daemon=True)
        for rank in range(size)
    ]
    for process in processes:
        process.start()
    return Ranks(processes, errors)


def run_ranks(size: int, folder: Path, job: Job, *arguments: Any) -> list[str]:
    """`start_ranks` and `wait`."""
    return start_ranks(size, folder, job, *arguments).wait()


def _rank(rank: int, size: int, port: int, error: Path, job: Job, arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                      GLOO_SOCKET_IFNAME="lo")  # fmt: skip
    try:
        world: World = join_world()
        job(world, *arguments)
        world.leave()
        error.write_text("")
    except BurnishError as trouble:
        error.write_text(f"{type(trouble).__name__} ({trouble.exit_code}): {trouble}")
    except BaseException as trouble:
        error.write_text(repr(trouble))
        raise
