"""The processes that train together. One process is a world of one; nothing else names torch.distributed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from burnish.core.hardware import cpu_has_fast_bf16


@dataclass(frozen=True)
class World:
    """rank in 0 … size-1, and the device this rank computes on."""

    rank: int
    size: int
    device: torch.device

    def sum(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Adds named numbers over all ranks, in float64."""
        if self.size == 1:
            return dict(counts)
        names = sorted(counts)
        total = torch.tensor([counts[name] for name in names], dtype=torch.float64)
        torch.distributed.all_reduce(total)
        return dict(zip(names, total.tolist(), strict=True))

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Adds the gradients over all ranks: objectives hand over sums, so nothing is averaged."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)

    def barrier(self) -> None:
        """Waits for all ranks."""
        if self.size > 1:
            torch.distributed.barrier()


def single_world() -> World:
    """This process alone, on the best device it has."""
    return World(rank=0, size=1, device=best_device())


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
