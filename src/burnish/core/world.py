"""The processes that train together. One process is a world of one; nothing else names torch.distributed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from burnish.core.errors import BurnishError, RankLost, RecipeError
from burnish.core.hardware import cpu_has_fast_bf16
from burnish.core.pulse import Pulse, start_pulse
from burnish.core.ranks import LISTENER, Place, hold_lifeline, own_place

JOINING = timedelta(seconds=120)  # for all ranks to be there
ANSWER = timedelta(seconds=20)  # for the store to answer a heartbeat
WAITING = timedelta(days=7)  # the heartbeat finds who is lost; a rank may wait as long as another honestly computes
BUCKET = 2**24  # elements: 64 MiB of float32 gradients go in one exchange


@dataclass(frozen=True)
class World:
    """rank in 0 … size-1, the device this rank computes on, and how many ranks share this machine's memory."""

    rank: int
    size: int
    device: torch.device
    beside: int = 1
    pulse: Pulse | None = None

    def sum(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Adds named numbers over all ranks, in float64. All ranks give the same names."""
        if self.size == 1:
            return dict(counts)
        names = sorted(counts)
        total = torch.tensor([counts[name] for name in names], dtype=torch.float64)
        with _together(self):
            distributed.all_reduce(total)
        return dict(zip(names, total.tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """Whether it is so on at least one rank."""
        return bool(self.sum({"flag": float(flag)})["flag"])

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Adds the gradients over all ranks: objectives hand over sums, so nothing is averaged.

        A parameter that no row of this rank touched counts as zero.
        """
        gradients = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        if self.size == 1:
            return
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            with _together(self):
                distributed.all_reduce(flat)
            sizes = [gradient.numel() for gradient in bucket]
            for gradient, part in zip(bucket, torch.split(flat, sizes), strict=True):
                gradient.copy_(part.view_as(gradient))

    def gather(self, text: str) -> list[str]:
        """One text of each rank, on all ranks. Bytes travel, never pickled objects."""
        if self.size == 1:
            return [text]
        own = torch.frombuffer(bytearray(text.encode("utf-8")) + b"\0", dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        with _together(self):
            distributed.all_gather(lengths, torch.tensor([len(own)]))
            longest = max(int(length) for length in lengths)
            padded = torch.zeros(longest, dtype=torch.uint8)
            padded[: len(own)] = own
            parts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
            distributed.all_gather(parts, padded)
        return [bytes(part[: int(n) - 1].tolist()).decode("utf-8") for part, n in zip(parts, lengths, strict=True)]

    def first(self, text: str) -> str:
        """Rank 0's text, on all ranks."""
        return self.gather(text)[0]

    def agree(self, text: str, what: str) -> None:
        """Raises BurnishError where the ranks do not all give the same text."""
        texts = self.gather(text)
        odd = [rank for rank, other in enumerate(texts) if other != texts[0]]
        if odd:
            raise BurnishError(
                f"The ranks do not hold the same {what}.",
                where=", ".join(f"rank {rank}" for rank in odd),
                seen=f"{texts[odd[0]][:60]} instead of {texts[0][:60]}",
                next_move="give all ranks the same command, data, model and versions",
            )

    def barrier(self) -> None:
        """Waits for all ranks."""
        if self.size > 1:
            with _together(self):
                distributed.barrier()

    def leave(self) -> None:
        """The end of working together: nobody closes a door while another still needs it."""
        if self.size == 1:
            return
        self.barrier()
        if self.pulse:
            self.pulse.stop()
        distributed.destroy_process_group()


@contextlib.contextmanager
def _together(world: World) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what torch.distributed raises: a connection was closed
        raise RankLost(
            f"Rank {world.rank} lost another rank.",
            seen=str(error).splitlines()[0][:200],
            next_move="see what the other one said; the same command goes on from the last saved step",
        ) from error


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gradients of one type side by side, at most BUCKET elements together (a larger one alone)."""
    bucket: list[Tensor] = []
    for gradient in gradients:
        room = BUCKET - sum(other.numel() for other in bucket)
        if bucket and (gradient.dtype != bucket[0].dtype or gradient.numel() > room):
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket


def single_world() -> World:
    """This process alone, on the best device it has."""
    return World(rank=0, size=1, device=best_device())


def join_world() -> World:
    """The world that torchrun's or `--ranks`' environment names, else this process alone. Waits for all ranks.

    Raises BurnishError: not all came in time; RecipeError: more ranks than GPUs.
    """
    place = own_place()
    if place is None:
        return single_world()
    hold_lifeline()
    device = _device_of(place)
    try:
        store = open_store(place, first=place.rank == 0)
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, store=store, rank=place.rank, world_size=place.size, timeout=WAITING)
        pulse = start_pulse(lambda: open_store(place, first=False, timeout=ANSWER), place.rank, place.size)
    except RuntimeError as error:
        raise RankLost(
            f"Rank {place.rank} could not meet the other {place.size - 1}.",
            where=f"{place.address}:{place.port}",
            seen=str(error).splitlines()[0][:200],
            next_move="see what the others said",
        ) from error
    return World(place.rank, place.size, device, place.beside, pulse)


def open_store(place: Place, *, first: bool, timeout: timedelta = JOINING) -> Any:
    """Where ranks meet. torchrun keeps it itself; otherwise rank 0 does, on a socket it inherited if there is one."""
    serves = first and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    listener = int(os.environ[LISTENER]) if serves and LISTENER in os.environ else None
    store = distributed.TCPStore(  # type: ignore[attr-defined]
        place.address,
        place.port,
        is_master=serves,
        timeout=timeout,
        wait_for_workers=False,
        master_listen_fd=listener,
    )
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return distributed.PrefixStore(f"burnish/{attempt}", store)  # type: ignore[attr-defined]


def _device_of(place: Place) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if place.local_rank >= torch.cuda.device_count():
        raise RecipeError(
            "There are more ranks than GPUs.",
            seen=f"{place.beside} ranks, {torch.cuda.device_count()} GPUs",
            next_move="give one rank for each GPU",
        )
    torch.cuda.set_device(place.local_rank)
    return torch.device("cuda", place.local_rank)


def best_device() -> torch.device:
    """CUDA, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def compute_dtype(name: str, device: torch.device) -> torch.dtype:
    """`auto` is bf16 where products in bf16 are faster than in float32, else float32."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and cpu_has_fast_bf16():
        return torch.bfloat16
    return torch.float32
